"""The statement that stores a candidate: by the latest entry, and with what was read of the person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.invitations.models.candidate import Candidate, Entry, Person, store_candidate
from tests.support import factories

ALDER = Person("Candidate Alder", "alder@candidates.example", "role-1", "Backend Engineer")
NOW = timezone.now()


def entry(delivery, at=NOW, **changes):
    """Return the entry that a delivery tells of."""
    return Entry(
        **{
            "organization_id": delivery.organization_id,
            "opportunity_id": "o-1",
            "stage_name": "CodeScreen Assessment",
            "assessment_name": "Backend",
            "entered_at": at,
            "delivery_id": delivery.pk,
            "invitation_id": None,
            **changes,
        }
    )


@pytest.fixture
def deliveries(organization):
    return factories.DeliveryFactory.create_batch(2, organization=organization, opportunity_id="o-1")


def stored():
    return Candidate.objects.get()


def test_a_repeated_decision_stores_one_row(deliveries):
    for _ in range(2):
        store_candidate(entry(deliveries[0]), ALDER)
    row = stored()
    assert (row.name, row.email, row.role_title) == (ALDER.name, ALDER.email, ALDER.role_title)
    assert (row.delivery, row.invitation, row.outcome) == (deliveries[0], None, "")


def test_a_later_entry_replaces_an_earlier_one(deliveries):
    store_candidate(entry(deliveries[0]), ALDER)
    later = NOW + timedelta(hours=1)
    store_candidate(entry(deliveries[1], later, stage_name="CodeScreen Second"), ALDER)
    row = stored()
    assert (row.delivery, row.stage_name) == (deliveries[1], "CodeScreen Second")
    assert abs(row.entered_at - later) < timedelta(milliseconds=1)


def test_an_older_entry_changes_nothing_when_decided_later(deliveries):
    store_candidate(entry(deliveries[0]), ALDER)
    store_candidate(entry(deliveries[1], NOW - timedelta(hours=1), stage_name="CodeScreen First"), ALDER)
    assert (stored().delivery, stored().stage_name) == (deliveries[0], "CodeScreen Assessment")


def test_an_older_entry_counts_when_it_leads_to_the_first_invitation(deliveries, organization):
    invitation = factories.InvitationFactory.create(organization=organization, opportunity_id="o-1")
    store_candidate(entry(deliveries[0]), ALDER)
    older = NOW - timedelta(hours=1)
    store_candidate(entry(deliveries[1], older, invitation_id=invitation.pk), ALDER)
    assert (stored().delivery, stored().invitation) == (deliveries[1], invitation)


def test_who_it_is_stays_when_the_candidate_was_not_read(deliveries):
    store_candidate(entry(deliveries[0]), ALDER)
    store_candidate(entry(deliveries[1], NOW + timedelta(hours=1)), None)
    assert (stored().name, stored().delivery) == (ALDER.name, deliveries[1])


def test_who_it_is_is_completed_when_the_candidate_is_read(deliveries):
    store_candidate(entry(deliveries[0], assessment_name=""), None)
    assert (stored().name, stored().email, stored().role_id) == ("", "", "")
    store_candidate(entry(deliveries[0]), ALDER)
    assert (stored().name, stored().assessment_name) == (ALDER.name, "Backend")


def test_the_outcome_stays_until_another_invitation_is_the_latest(deliveries, organization):
    first, second = (
        factories.InvitationFactory.create(organization=organization, opportunity_id="o-1", round=number)
        for number in (1, 2)
    )
    store_candidate(entry(deliveries[0], invitation_id=first.pk), ALDER)
    Candidate.objects.record_outcome(first, "Passed")
    store_candidate(entry(deliveries[0]), ALDER)
    store_candidate(entry(deliveries[0], invitation_id=first.pk), ALDER)
    assert (stored().outcome, stored().invitation) == ("Passed", first)
    store_candidate(entry(deliveries[0], invitation_id=second.pk), ALDER)
    assert (stored().outcome, stored().invitation) == ("", second)
    Candidate.objects.record_outcome(first, "Failed")
    assert stored().outcome == ""


def test_the_outcome_of_another_invitation_is_stored_with_it(deliveries, organization):
    first, second = (
        factories.InvitationFactory.create(organization=organization, opportunity_id="o-1", round=number)
        for number in (1, 2)
    )
    store_candidate(entry(deliveries[0], invitation_id=second.pk), ALDER)
    store_candidate(entry(deliveries[1], invitation_id=first.pk, outcome="Passed"), ALDER)
    assert (stored().outcome, stored().invitation) == ("Passed", first)
    # a result that was recorded for the same invitation meanwhile stays
    store_candidate(entry(deliveries[1], invitation_id=first.pk, outcome="Failed"), ALDER)
    assert stored().outcome == "Passed"


def test_each_organization_has_its_own_row(deliveries, stranger):
    other = factories.DeliveryFactory.create(opportunity_id="o-1")
    store_candidate(entry(deliveries[0]), ALDER)
    store_candidate(entry(other), ALDER)
    assert Candidate.objects.count() == 2
