"""Which invitations the same person has: through the same contact, or the same address."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.case.person import Person, blocking_elsewhere, invitations_of
from integrations.core.invitation_status import InvitationStatus
from tests.support import factories


@pytest.fixture
def person(organization):
    """A person with two addresses, behind the opportunity `here`."""
    emails = ("alder@candidates.example", "alder.work@candidates.example")
    return Person(organization.pk, "here", "contact-alder", emails)


def invited_elsewhere(organization, **changes):
    """Return an invitation of somebody through another opportunity, sent unless the changes say otherwise."""
    values = {
        "opportunity_id": "there",
        "contact_id": "contact-other",
        "email": "other@candidates.example",
        "status": "invited",
        "instance_id": "instance-1",
    }
    return factories.InvitationFactory.create(organization=organization, **values | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"contact_id": "contact-alder"},
        {"email": "alder@candidates.example"},
        {"email": "Alder.Work@Candidates.Example"},
        {"email": "alder@candidates.example", "contact_id": ""},
    ],
)
def test_the_same_contact_or_address_is_the_same_person(organization, person, changes):
    row = invited_elsewhere(organization, **changes)
    assert [existing.id for existing in invitations_of(person).elsewhere] == [row.pk]


def test_another_contact_with_another_address_is_another_person(organization, person):
    invited_elsewhere(organization)
    invited_elsewhere(organization, opportunity_id="third", contact_id="", email="", instance_id="instance-2")
    assert invitations_of(person).elsewhere == ()


def test_people_without_contact_and_address_are_not_one_person(organization):
    invited_elsewhere(organization, contact_id="", email="")
    assert invitations_of(Person(organization.pk, "here", "", ("",))).elsewhere == ()


def test_another_organizations_invitation_is_not_this_persons(organization, person):
    invited_elsewhere(factories.OrganizationFactory.create(), contact_id="contact-alder")
    assert invitations_of(person).elsewhere == ()


def test_an_invitation_here_is_not_elsewhere(organization, person):
    row = invited_elsewhere(organization, opportunity_id="here", contact_id="contact-alder")
    assert [existing.id for existing in invitations_of(person).here] == [row.pk]
    assert invitations_of(person).elsewhere == ()


@pytest.mark.parametrize("status", InvitationStatus)
def test_an_invitation_elsewhere_blocks_unless_it_failed_or_was_withdrawn_unsent(
    organization, person, status
):
    is_sent = status in {"invited", "in_progress", "submitted", "completed"}
    instance_id = "instance-1" if is_sent else ""
    done_at = timezone.now() if status == "completed" else None
    row = invited_elsewhere(
        organization, contact_id="contact-alder", status=status, instance_id=instance_id, completed_at=done_at
    )
    found = blocking_elsewhere(person, row.assessment_id, timezone.now() - timedelta(days=1))
    assert (found is None) is (status in {"failed", "withdrawn"})
    assert blocking_elsewhere(person, "another", timezone.now() - timedelta(days=1)) is None


def test_a_withdrawn_invitation_elsewhere_blocks_when_it_was_sent_or_perhaps_was(organization, person):
    sent = invited_elsewhere(organization, contact_id="contact-alder", status="withdrawn")
    assert blocking_elsewhere(person, sent.assessment_id, timezone.now()) is not None
    type(sent).objects.update(instance_id="")
    assert blocking_elsewhere(person, sent.assessment_id, timezone.now()) is None
    type(sent).objects.update(first_call_at=timezone.now())
    found = blocking_elsewhere(person, sent.assessment_id, timezone.now())
    assert found is not None
    assert found.standing.startswith("possibly sent")


def test_an_invitation_completed_before_the_decision_was_weighed_in_it(organization, person):
    done_at = timezone.now() - timedelta(days=2)
    row = invited_elsewhere(
        organization, contact_id="contact-alder", status="completed", completed_at=done_at
    )
    before, after = done_at - timedelta(days=1), done_at + timedelta(days=1)
    assert blocking_elsewhere(person, row.assessment_id, before) is not None
    assert blocking_elsewhere(person, row.assessment_id, after) is None
