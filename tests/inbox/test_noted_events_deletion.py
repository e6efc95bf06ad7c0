"""Lever's report of a deletion: it isn't signed, so nothing is erased before Lever itself says so."""

import pytest

from integrations.inbox import noted_events
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.noted_events import NotErased
from integrations.privacy.models import Erasure
from tests.support.scenario import end_wait

ADDRESS = "alder@candidates.example"


@pytest.fixture
def reported(scenario):
    """Return a function that stores a report of a deletion and works it, and returns the delivery."""

    def report(opportunity_id, **data):
        payload = {"event": "candidateDeleted", "data": {"opportunityId": opportunity_id, **data}}
        delivery = scenario.deliver(event="candidateDeleted", opportunity_id=opportunity_id, payload=payload)
        scenario.work()
        delivery.refresh_from_db()
        return delivery

    return report


def test_a_deleted_candidate_is_erased_at_once_even_in_a_pause(scenario, reported):
    invitation = scenario.sent_invitation()
    scenario.set_policies(paused=True)
    scenario.sandbox.lever_does("delete", opportunities=[invitation.opportunity_id])
    delivery = reported(invitation.opportunity_id, deletedBy="user-1")
    assert (delivery.verdict, delivery.explanation) == ("erased", noted_events.ERASED)
    invitation = scenario.reread(invitation)
    assert (invitation.candidate_name, invitation.email) == ("", "")
    assert Erasure.objects.get().cause == "deleted"


@pytest.mark.parametrize(
    ("confidentiality", "said"),
    [("non-confidential", NotErased.STILL_SHOWN), ("confidential", NotErased.NOT_CONFIRMED)],
)
def test_a_report_about_a_candidate_whom_lever_shows_or_refuses_to_show_erases_nothing(
    scenario, reported, confidentiality, said
):
    invitation = scenario.sent_invitation()
    scenario.sandbox.candidate("Alder").confidentiality = confidentiality
    delivery = reported(invitation.opportunity_id)
    for _ in range(3):
        assert (delivery.verdict, delivery.due_at is None) == ("", False)
        end_wait()
        scenario.work()
        delivery.refresh_from_db()
    assert (delivery.verdict, delivery.explanation) == ("noted", said.value)
    assert scenario.reread(invitation).email == ADDRESS
    assert not Erasure.objects.exists()


def test_a_candidate_without_stored_data_gets_no_receipt(scenario, reported):
    opportunity_id = scenario.sandbox.opportunity_id("Birch")
    scenario.sandbox.lever_does("delete", opportunities=[opportunity_id])
    scenario.organization.deliveries.filter(opportunity_id=opportunity_id).delete()
    delivery = reported(opportunity_id)
    assert (delivery.verdict, delivery.explanation) == ("noted", noted_events.NOTHING_STORED)
    assert not Erasure.objects.exists()


def test_without_a_connection_the_report_is_kept_and_decided_again(scenario, reported):
    invitation = scenario.sent_invitation()
    scenario.sandbox.lever_does("delete", opportunities=[invitation.opportunity_id])
    scenario.organization.lever_connection.mark_needs_reconnect("gone")
    delivery = reported(invitation.opportunity_id)
    assert delivery.verdict == "disconnected"
    assert Delivery.objects.stranded().get() == delivery
    assert scenario.reread(invitation).email == ADDRESS
