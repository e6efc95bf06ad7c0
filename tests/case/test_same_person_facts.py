"""Which invitations the same person has: through the same contact, or the same address."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.case.person import Person, blocking_elsewhere, invitations_of
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
    here = invited_elsewhere(organization, opportunity_id="here", instance_id="instance-2")
    found = invitations_of(person)
    assert [existing.id for existing in found.elsewhere] == [row.pk]
    assert [existing.id for existing in found.here] == [here.pk]


def test_somebody_else_is_another_person(organization, person):
    invited_elsewhere(organization)
    invited_elsewhere(organization, opportunity_id="third", contact_id="", email="", instance_id="instance-2")
    invited_elsewhere(factories.OrganizationFactory.create(), contact_id="contact-alder")
    assert invitations_of(person).elsewhere == ()
    assert invitations_of(replace(person, contact_id="", emails=("",))).elsewhere == ()


def test_a_withdrawn_invitation_elsewhere_blocks_when_it_was_sent_or_perhaps_was(organization, person):
    sent = invited_elsewhere(organization, contact_id="contact-alder", status="withdrawn")
    assert blocking_elsewhere(person, sent.assessment_id, timezone.now()) is not None
    assert blocking_elsewhere(person, "another", timezone.now()) is None
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
