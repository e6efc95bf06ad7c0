"""The sweep takes in candidates whose webhook was lost, once, and no others."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.http.session import CallDeferred, PlatformError
from integrations.inbox import decide_delivery, sweep
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever import transport
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import duties
from tests.support import duty_runs


def test_a_missed_candidate_is_taken_in_once(scenario, sandbox):
    scenario.place()
    assert [queue_acts.sweep_organization(scenario.organization) for _ in range(3)] == [1, 0, 0]
    scenario.work()
    delivery = Delivery.objects.get()
    assert (delivery.event, delivery.verdict, delivery.opportunity_id) == (
        "sweep",
        "invite",
        sandbox.opportunity_id("Alder"),
    )
    assert sandbox.invitations_sent() == 1
    [email] = Effect.objects.filter(kind="send_email")
    assert "webhook missed" in email.payload["subject"]


def test_a_missed_candidate_who_is_skipped_does_not_count_as_repaired(scenario):
    scenario.place("Nyssa")
    assert queue_acts.sweep_organization(scenario.organization) == 0
    assert Delivery.objects.get().verdict == "no_email"
    assert queue_acts.sweep_organization(scenario.organization) == 0
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("moved", [{"word": "Pine"}, {"stage": "Phone screen"}], ids=str)
def test_an_archived_candidate_and_one_in_another_stage_are_ignored(scenario, moved):
    scenario.place(**moved)
    assert queue_acts.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_a_sweep_without_a_trigger_stage_counts_as_done(scenario):
    Organization.objects.update(stage_prefix="Take-home exercise")
    assert queue_acts.sweep_organization(scenario.organization) == 0
    assert LeverConnection.objects.get().swept_at is not None


@pytest.mark.parametrize("reason", ["paused", "lever", "codescreen"])
def test_no_delivery_is_created_when_paused_or_disconnected(scenario, reason):
    scenario.place()
    if reason == "paused":
        Organization.objects.update(paused=True)
    elif reason == "lever":
        LeverConnection.objects.update(state="needs_reconnect")
    else:
        CodeScreenConnection.objects.update(state="refused")
    scenario.organization.refresh_from_db()
    assert queue_acts.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_a_candidate_who_cannot_be_decided_again_is_left_to_the_workers(scenario, sandbox, monkeypatch):
    scenario.place()
    queue_acts.sweep_organization(scenario.organization)
    Invitation.objects.get().move("withdrawn", "The candidate left the stage.")

    def defer(*_args, **_kwargs):
        raise CallDeferred(1.0)

    with monkeypatch.context() as patch:
        patch.setattr(sweep, "decide_delivery", defer)
        with pytest.raises(CallDeferred):
            queue_acts.sweep_organization(scenario.organization)
    assert Delivery.objects.due().count() == 1
    scenario.work()
    assert sandbox.invitations_sent() == 1


def test_those_after_a_candidate_who_cannot_be_decided_are_compared(scenario, monkeypatch):
    for word in ("Alder", "Birch", "Cedar"):
        scenario.place(word)
    decide = decide_delivery.decide_delivery
    failed: list[int] = []

    def fail_first(delivery, *args, **kwargs):
        if not failed:
            failed.append(delivery.pk)
            raise PlatformError("no answer", status=503)
        return decide(delivery, *args, **kwargs)

    monkeypatch.setattr(sweep, "decide_delivery", fail_first)
    assert queue_acts.sweep_organization(scenario.organization) == 2
    assert Delivery.objects.filter(verdict="invite").count() == 2
    assert Delivery.objects.due().get().pk == failed[0]


@pytest.mark.parametrize(("minutes", "repaired"), [(1, 0), (3, 1)])
def test_a_scheduled_sweep_leaves_out_who_entered_less_than_two_minutes_ago(
    scenario, sandbox, minutes, repaired
):
    long_ago = timezone.now() - timedelta(hours=1)
    LeverConnection.objects.update(first_connected_at=long_ago, swept_at=long_ago)
    scenario.place()
    sandbox.set_entered_at("Alder", timezone.now() - timedelta(minutes=minutes))
    organization = Organization.objects.reread(scenario.organization.pk)
    assert duty_runs.sweep_whole(organization, is_full=False) == repaired
    assert Delivery.objects.count() == repaired


# a list that is longer than a turn, which reads a page: here a page has one row


def sweep_in_turns(scenario) -> int:
    def turn(place):
        return duties.sweep_organization(Organization.objects.reread(scenario.organization.pk), place)[1]

    return duty_runs.turns_until_done(turn)


def test_a_long_stage_is_compared_in_turns_to_its_end(scenario, monkeypatch):
    monkeypatch.setattr(transport, "PAGE_SIZE", 1)
    for word in ("Alder", "Birch", "Cedar"):
        scenario.place(word)
    began = timezone.now()
    assert sweep_in_turns(scenario) > 3
    assert Delivery.objects.filter(verdict="invite").count() == 3
    swept_at = LeverConnection.objects.get().swept_at
    assert swept_at is not None
    assert swept_at > began


@pytest.mark.slow
def test_who_is_still_in_the_stage_stays_offered_after_a_sweep_in_turns(scenario, sandbox, monkeypatch):
    for word in ("Alder", "Birch", "Cedar"):
        scenario.place(word)
        sandbox.set_entered_at(word, timezone.now() - timedelta(days=2))
    LeverConnection.objects.update(first_connected_at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(transport, "PAGE_SIZE", 1)
    sweep_in_turns(scenario)
    assert set(Delivery.objects.values_list("verdict", "due_at")) == {("entered_before", None)}
    scenario.place("Alder", stage="Phone screen")
    sweep_in_turns(scenario)
    again = Delivery.objects.get(due_at__isnull=False)
    assert again.opportunity_id == sandbox.opportunity_id("Alder")
