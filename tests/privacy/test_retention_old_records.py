"""Old calls are deleted and old webhooks reduced to ids, in small batches; what an invitation rests on stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.audit.verification import verify_chain
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.privacy import retention
from integrations.privacy.models import Erasure
from integrations.privacy.retention import remove_old_records
from tests.support import factories

LONG_AGO, RECENTLY = timezone.now() - timedelta(days=100), timezone.now() - timedelta(days=80)
BODY = {"id": "event-1", "token": "t" * 48, "data": {"opportunityId": "somebody", "note": "about the person"}}
REDUCED = {"id": "event-1", "data": {"opportunityId": "somebody"}}


def create_calls(organization, count: int = 1, at=LONG_AGO, **columns) -> list[ApiCall]:
    return factories.ApiCallFactory.create_batch(
        count, organization=organization, at=at, **{"status": 200, **columns}
    )


def create_delivery(organization, at=LONG_AGO, **columns) -> Delivery:
    decided = {"verdict": "ignored_event", "decided_at": at, "due_at": None} | columns
    return factories.DeliveryFactory.create(
        organization=organization, received_at=at, payload=BODY, opportunity_id="somebody", **decided
    )


def payload_of(delivery: Delivery) -> object:
    delivery.refresh_from_db()
    return delivery.payload


def test_calls_are_deleted_when_they_are_old(organization):
    create_calls(organization, 3)
    recent = create_calls(organization, at=RECENTLY)
    other = create_calls(factories.OrganizationFactory.create())
    assert remove_old_records(organization) == 3
    assert set(ApiCall.objects.all()) == {*recent, *other}


def test_a_call_stays_while_its_answer_still_comes(organization):
    create_calls(organization, repeats=3, last_at=RECENTLY)
    create_calls(organization, repeats=3, last_at=LONG_AGO)
    assert remove_old_records(organization) == 1
    assert ApiCall.objects.get().last_at == RECENTLY


def test_calls_of_an_invited_candidate_stay_until_the_person_is_erased(organization):
    invitation = factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    create_calls(organization, opportunity_id="somebody")
    assert remove_old_records(organization) == 0
    Invitation.objects.filter(pk=invitation.pk).update(erased_at=timezone.now())
    assert remove_old_records(organization) == 1


def test_a_decided_webhook_keeps_ids_and_its_verdict_when_it_is_old(organization):
    old, recent = create_delivery(organization), create_delivery(organization, at=RECENTLY)
    assert remove_old_records(organization) == 1
    assert (payload_of(old), old.verdict, payload_of(recent)) == (REDUCED, "ignored_event", BODY)


@pytest.mark.parametrize(
    "columns",
    [
        {"verdict": "", "decided_at": None},
        {"due_at": timezone.now()},
        {"verdict": "paused"},
        {"verdict": "entered_before"},
        None,
    ],
    ids=["undecided", "due", "waiting", "offered", "invited"],
)
def test_a_webhook_that_is_still_needed_keeps_its_body(organization, columns):
    if columns is None:
        factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    delivery = create_delivery(organization, **columns or {})
    assert remove_old_records(organization) == 0
    assert payload_of(delivery) == BODY


def test_calls_about_a_candidate_stay_until_it_is_settled_that_lever_no_longer_has_them(organization):
    for days, status in ((93, 200), (2, 404)):
        create_calls(
            organization,
            at=timezone.now() - timedelta(days=days),
            opportunity_id="somebody",
            path="/opportunities/somebody",
            status=status,
        )
    assert remove_old_records(organization) == 0
    Erasure.objects.create(
        organization=organization, opportunity_id="somebody", cause="gone", erased_at=timezone.now()
    )
    assert remove_old_records(organization) == 1


def test_calls_that_stay_dont_hold_up_those_that_go(organization, monkeypatch):
    monkeypatch.setattr(retention, "REMOVED_AT_ONCE", 2)
    factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    create_calls(organization, 5, opportunity_id="somebody")
    create_calls(organization, at=LONG_AGO + timedelta(days=1))
    assert remove_old_records(organization) == 1
    assert set(ApiCall.objects.values_list("opportunity_id", flat=True)) == {"somebody"}


def test_each_webhook_is_looked_at_once_after_it_was_decided(organization):
    create_delivery(organization)
    received_late = create_delivery(organization, verdict="", decided_at=None, due_at=timezone.now())
    remove_old_records(organization)
    organization.refresh_from_db()
    looked_at = create_delivery(organization, at=LONG_AGO - timedelta(days=1))
    newer = create_delivery(organization, at=LONG_AGO + timedelta(days=1))
    decided = {"verdict": "ignored_event", "decided_at": LONG_AGO + timedelta(days=9), "due_at": None}
    Delivery.objects.filter(pk=received_late.pk).update(received_at=LONG_AGO - timedelta(days=100), **decided)
    assert remove_old_records(organization) == 2
    assert [payload_of(one) for one in (looked_at, newer, received_late)] == [BODY, REDUCED, REDUCED]


def test_what_was_removed_is_on_record_and_the_chain_is_whole(organization):
    create_calls(organization, 2)
    create_delivery(organization)
    remove_old_records(organization)
    calls, bodies = AuditEntry.objects.filter(action=AuditAction.REMOVE_OLD).order_by("position")
    assert [list(entry.changes) for entry in (calls, bodies)] == [["calls"], ["bodies of webhooks"]]
    assert calls.changes["calls"][1].startswith("from before ")
    faults: list[object] = []
    assert verify_chain(organization.pk, faults.append).is_whole, faults
