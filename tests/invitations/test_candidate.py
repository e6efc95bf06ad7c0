"""The statement that stores a candidate: by the latest entry, and with what was read of the person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.invitations.models.candidate import Candidate, ShownPerson, store_candidate
from tests.support import factories

ALDER = ShownPerson("Candidate Alder", "alder@candidates.example", "role-1", "Backend Engineer", "referred")
NOW = timezone.now()


def store(delivery, at=NOW, person=ALDER, **changes):
    """Store the candidate whose entry a delivery tells of, and what was read of the person."""
    candidate = Candidate(
        **{
            "organization_id": delivery.organization_id,
            "opportunity_id": "o-1",
            "stage_name": "CodeScreen Assessment",
            "assessment_name": "Backend",
            "entered_at": at,
            "delivery_id": delivery.pk,
            **changes,
        }
    )
    store_candidate(candidate, person)


@pytest.fixture
def deliveries(organization):
    return factories.DeliveryFactory.create_batch(2, organization=organization, opportunity_id="o-1")


@pytest.fixture
def rounds(organization):
    """The candidate's invitations of two rounds."""
    return [
        factories.InvitationFactory.create(organization=organization, opportunity_id="o-1", round=number)
        for number in (1, 2)
    ]


def stored():
    return Candidate.objects.earliest("pk")


def test_a_later_entry_replaces_an_earlier_one(deliveries):
    for _ in range(2):
        store(deliveries[0])
    row = stored()
    assert (row.name, row.email, row.role_title) == (ALDER.name, ALDER.email, ALDER.role_title)
    assert (row.delivery, row.invitation, row.outcome) == (deliveries[0], None, "")
    store(factories.DeliveryFactory.create(opportunity_id="o-1"))  # of another organization
    later = NOW + timedelta(hours=1)
    store(deliveries[1], later, stage_name="CodeScreen Second")
    row = stored()
    assert (row.delivery, row.stage_name) == (deliveries[1], "CodeScreen Second")
    assert abs(row.entered_at - later) < timedelta(milliseconds=1)


def test_an_older_entry_changes_nothing_when_decided_later(deliveries):
    store(deliveries[0])
    store(deliveries[1], NOW - timedelta(hours=1), stage_name="CodeScreen First")
    assert (stored().delivery, stored().stage_name) == (deliveries[0], "CodeScreen Assessment")


def test_an_older_entry_counts_when_it_leads_to_the_first_invitation(deliveries, organization):
    invitation = factories.InvitationFactory.create(organization=organization, opportunity_id="o-1")
    store(deliveries[0])
    older = NOW - timedelta(hours=1)
    store(deliveries[1], older, invitation_id=invitation.pk)
    assert (stored().delivery, stored().invitation) == (deliveries[1], invitation)


def test_who_it_is_stays_when_the_candidate_was_not_read(deliveries):
    store(deliveries[0])
    store(deliveries[1], NOW + timedelta(hours=1), person=None)
    assert (stored().name, stored().delivery) == (ALDER.name, deliveries[1])


def test_who_it_is_is_completed_when_the_candidate_is_read(deliveries):
    store(deliveries[0], assessment_name="", person=None)
    assert (stored().name, stored().email, stored().role_id) == ("", "", "")
    store(deliveries[0])
    assert (stored().name, stored().assessment_name) == (ALDER.name, "Backend")


def test_texts_are_cut_to_what_their_columns_hold(deliveries):
    long = "x" * 1000
    person = ShownPerson(long, long, long, long, "agency")
    store(deliveries[0], person=person, stage_name=long, assessment_name=long)
    row = stored()
    assert (len(row.name), len(row.email), len(row.role_id), len(row.role_title)) == (500, 320, 200, 300)
    assert (len(row.stage_name), len(row.assessment_name)) == (300, 300)


def test_outcome_and_assessment_stay_until_another_invitation_is_the_latest(deliveries, rounds):
    first, second = rounds
    store(deliveries[0], invitation_id=first.pk)
    Candidate.objects.record_outcome(first, "Passed")
    store(
        deliveries[1], NOW + timedelta(hours=1), assessment_name="Frontend"
    )  # nothing is sent for this entry
    assert (stored().outcome, stored().invitation, stored().assessment_name) == ("Passed", first, "Backend")
    store(deliveries[1], NOW + timedelta(hours=1), invitation_id=first.pk)
    assert (stored().outcome, stored().invitation) == ("Passed", first)
    store(deliveries[1], NOW + timedelta(hours=1), invitation_id=second.pk, assessment_name="Frontend")
    assert (stored().outcome, stored().invitation, stored().assessment_name) == ("", second, "Frontend")
    Candidate.objects.record_outcome(first, "Failed")
    assert stored().outcome == ""


def test_the_outcome_of_another_invitation_is_stored_with_it(deliveries, rounds):
    first, second = rounds
    store(deliveries[0], invitation_id=second.pk)
    store(deliveries[1], invitation_id=first.pk, outcome="Passed")
    assert (stored().outcome, stored().invitation) == ("Passed", first)
    # a result that was recorded for the same invitation meanwhile stays
    store(deliveries[1], invitation_id=first.pk, outcome="Failed")
    assert stored().outcome == "Passed"
