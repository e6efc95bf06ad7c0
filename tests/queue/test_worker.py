"""Work due rows: in which order, and until when; whether anything is to be done."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import PortalDuty
from integrations.queue.worker import is_idle
from tests.support import factories


def test_no_duty_is_claimed_when_a_stop_was_requested(organization, request_stop, monkeypatch):
    done = []

    def stop(one, _):
        done.append(one.pk)
        request_stop()

    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(stop))
    for one in (organization, factories.OrganizationFactory.create()):
        DutyRun.objects.create(organization=one, duty=Duty.SWEEP)
    assert worker.perform_duties() == 1
    assert done == [organization.pk]


def test_a_thread_that_yields_to_rows_claims_no_duty_while_they_wait(organization, monkeypatch):
    monkeypatch.setitem(duties.DUTIES, Duty.SWEEP, duties.Performance(lambda *_: {}))
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    rows_wait = threading.Event()
    rows_wait.set()
    assert worker.perform_duties(yields_to=rows_wait) == 0
    assert worker.perform_duties() == 1


def test_the_effects_of_a_candidate_are_performed_one_after_another_without_another_look(
    organization, monkeypatch
):
    """The first step leaves an effect to do, as a decision leaves the invitation's."""
    done = []

    def perform(effect, _):
        done.append(effect.key)
        effect.finish()

    def decide(delivery, _):
        delivery.release(due_at=None)
        for number in range(2):
            factories.EffectFactory(
                organization=organization,
                opportunity_id=delivery.opportunity_id,
                key=f"own-{number}",
                priority=number,
            )

    monkeypatch.setattr(worker, "perform_effect", perform)
    monkeypatch.setattr(worker, "decide", decide)
    factories.EffectFactory(organization=organization, opportunity_id="another", key="other")
    delivery = factories.DeliveryFactory(organization=organization, opportunity_id="a")
    claimed = factories.claimed(Delivery, "one")
    assert claimed == delivery
    assert worker.work_on(claimed, worker.Organizations()) == 3
    assert done == ["own-0", "own-1"]


def test_an_effect_without_a_candidate_is_followed_by_none(organization, monkeypatch):
    monkeypatch.setattr(worker, "perform_effect", lambda effect, _: effect.finish())
    for _ in range(2):
        factories.EffectFactory(organization=organization, opportunity_id="")
    assert worker.work_on(factories.claimed(Effect, "one"), worker.Organizations()) == 1


def test_each_kind_is_asked_first_in_its_turn(organization):
    for number in range(2):
        factories.EffectFactory.create(organization=organization, opportunity_id=f"o{number}")
        factories.DeliveryFactory.create(organization=organization)
    first, second = (next(worker.claim_rows(1, turn)) for turn in (0, 1))
    assert (type(first), type(second)) == (Delivery, Effect)


def test_a_pause_is_seen_after_a_second_and_its_end_at_once(connected_organization, monkeypatch):
    seconds = [100.0]
    monkeypatch.setattr("integrations.queue.worker.time.monotonic", lambda: seconds[0])
    organizations, pk = worker.Organizations(), connected_organization.pk
    assert not organizations.recent(pk).paused
    Organization.objects.update(paused=True)
    assert not organizations.recent(pk).paused  # effects share a reading of it
    seconds[0] += worker.READ_AGAIN_SECONDS + 0.1
    assert organizations.recent(pk).paused
    Organization.objects.update(paused=False)
    assert not organizations.recent(pk).paused


def test_a_connection_is_seen_at_once_when_there_was_none(organization):
    organizations = worker.Organizations()
    assert organizations.recent(organization.pk).disconnected_reason
    factories.LeverConnectionFactory.create(organization=organization)
    factories.CodeScreenConnectionFactory.create(organization=organization)
    assert not organizations.recent(organization.pk).disconnected_reason


def test_a_verdict_goes_by_the_organization_of_now_and_the_effects_after_it_too(
    connected_organization, monkeypatch
):
    seen = []

    def handle(delivery, _):
        seen.append(delivery.organization.default_assessment)
        delivery.release(due_at=None)

    def perform(effect, _):
        seen.append(effect.organization.default_assessment)
        effect.finish()

    organizations = worker.Organizations()
    organizations.recent(connected_organization.pk)
    Organization.objects.update(default_assessment="Backend")
    monkeypatch.setattr(worker, "handle_delivery", handle)
    monkeypatch.setattr(worker, "perform", perform)
    delivery = factories.DeliveryFactory.create(organization=connected_organization, opportunity_id="o1")
    factories.EffectFactory.create(organization=connected_organization, opportunity_id="o1")
    assert worker.work_on(delivery, organizations) == 2
    assert seen == ["Backend", "Backend"]


# whether anything is to be done is asked in one statement


@pytest.mark.parametrize(
    "kind", ["delivery", "effect", "poll", "duty", "portal duty", "portal duty without a row"]
)
def test_workers_are_idle_until_something_is_due(kind, organization, django_assert_num_queries):
    PortalDuty.write_missing()
    PortalDuty.objects.update(due_at=timezone.now() + timedelta(hours=1))
    past = factories.a_moment_ago()
    with django_assert_num_queries(1):
        assert is_idle()
    match kind:
        case "delivery":
            factories.DeliveryFactory.create(organization=organization, due_at=past)
        case "effect":
            factories.EffectFactory.create(organization=organization, due_at=past)
        case "poll":
            factories.InvitationFactory.create(
                organization=organization, status="invited", instance_id="an-instance", next_poll_at=past
            )
        case "duty":
            DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, due_at=past)
        case "portal duty":
            PortalDuty.objects.filter(name=PortalDuty.Name.CLEAN_UP).update(due_at=past)
        case _:
            PortalDuty.objects.filter(name=PortalDuty.Name.CLEAN_UP).delete()
    assert not is_idle()
