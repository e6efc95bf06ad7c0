"""The sweep finds whom no webhook told of, once, and nobody else."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.http.errors import PlatformError
from integrations.models import CodeScreenConnection, Delivery, Effect, Invitation, LeverConnection
from integrations.queue import duties, on_request
from integrations.workflow.inbox import decide_delivery, sweep
from integrations.workflow.operations import invitations
from tests import factories

STAGE = "CodeScreen Assessment"


@pytest.fixture
def lost(scenario, sandbox):
    """Move a candidate while Lever's webhooks are lost."""
    sandbox.lever_does("settings", webhooks_enabled=False)

    def move(word="Alder", stage=STAGE):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)

    return move


def test_whom_no_webhook_told_of_is_taken_in_once(scenario, sandbox, lost):
    lost()
    assert [on_request.sweep_organization(scenario.organization) for _ in range(3)] == [1, 0, 0]
    scenario.work()
    delivery = Delivery.objects.get()
    assert (delivery.event, delivery.verdict, delivery.opportunity_id) == (
        "sweep",
        "invite",
        sandbox.opportunity_id("Alder"),
    )
    assert sandbox.invitations_sent() == 1
    [mail] = Effect.objects.filter(kind="send_email")
    assert "no webhook" in mail.payload["subject"]


def test_a_skip_is_decided_but_is_no_repair(scenario, sandbox, lost):
    lost("Nyssa")
    assert on_request.sweep_organization(scenario.organization) == 0
    assert Delivery.objects.get().verdict == "no_email"
    assert on_request.sweep_organization(scenario.organization) == 0
    assert Delivery.objects.count() == 1


def test_who_was_there_before_the_portal_is_left_alone(scenario, sandbox, lost):
    lost()
    type(scenario.organization).objects.update(created_at=timezone.now() + timedelta(minutes=1))
    scenario.organization.refresh_from_db()
    assert on_request.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_who_was_told_of_is_left_alone(scenario, sandbox, lost):
    lost()
    factories.DeliveryFactory(
        organization=scenario.organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        payload={"event": "candidateStageChange", "data": {"toStageId": sandbox.stage_id(STAGE)}},
        received_at=timezone.now() + timedelta(seconds=1),
    )
    assert on_request.sweep_organization(scenario.organization) == 0


def test_archived_candidates_are_not_looked_at(scenario, sandbox, lost):
    lost("Pine")
    assert on_request.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_other_stages_are_not_looked_at(scenario, sandbox, lost):
    lost(stage="Phone screen")
    assert on_request.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_a_mapped_stage_is_looked_at(scenario, sandbox, lost):
    scenario.organization.role_mappings.create(
        role="Backend Engineer", stage="Phone screen", assessment="Backend"
    )
    lost(stage="Phone screen")
    assert on_request.sweep_organization(scenario.organization) == 1


def test_who_came_back_untold_after_being_withdrawn_is_taken_in(scenario, sandbox, lost):
    lost()
    on_request.sweep_organization(scenario.organization)
    Invitation.objects.get().move("withdrawn", "The candidate left the stage.")
    scenario.work()
    assert sandbox.invitations_sent() == 0
    lost(stage="Phone screen")
    time.sleep(1.1)  # two entries in one second are one to the sweep
    lost()
    Delivery.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert on_request.sweep_organization(scenario.organization) == 1
    scenario.work()
    assert sandbox.invitations_sent() == 1


@pytest.mark.parametrize("reason", ["paused", "lever", "codescreen"])
def test_without_connections_nothing_is_looked_at(scenario, sandbox, lost, reason):
    lost()
    if reason == "paused":
        type(scenario.organization).objects.update(paused=True)
    elif reason == "lever":
        LeverConnection.objects.update(state="needs_reconnect")
    else:
        CodeScreenConnection.objects.update(state="refused")
    scenario.organization.refresh_from_db()
    assert on_request.sweep_organization(scenario.organization) == 0
    assert not Delivery.objects.exists()


def test_a_lever_that_fails_is_said_and_nothing_is_lost(scenario, sandbox, lost):
    lost()
    scenario.lever_fails("/opportunities", method="GET", status=500, times=1)
    with pytest.raises(PlatformError):
        on_request.sweep_organization(scenario.organization)
    assert on_request.sweep_organization(scenario.organization) == 1


def test_one_organization_that_fails_does_not_stop_the_others(scenario, sandbox, lost):
    factories.LeverConnectionFactory()  # of another organization, whose Lever refuses it
    lost()
    duties.sweep_all()
    assert Delivery.objects.get(organization=scenario.organization).verdict == "invite"


def test_many_pages_are_read(scenario, sandbox, lost):
    words = ["Alder", "Nyssa", "Maple", "Hazel", "Ginkgo"]
    for word in words:
        lost(word)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrations.lever.transport.PAGE_SIZE", 2)
        on_request.sweep_organization(scenario.organization)
    assert Delivery.objects.count() == len(words)


def test_who_came_back_untold_within_a_minute_is_taken_in(scenario, sandbox, lost):
    lost()
    on_request.sweep_organization(scenario.organization)
    Invitation.objects.get().move("withdrawn", "The candidate left the stage.")
    scenario.work()
    lost(stage="Phone screen")
    lost()
    assert on_request.sweep_organization(scenario.organization) == 1
    scenario.work()
    assert sandbox.invitations_sent() == 1


def test_who_had_left_when_the_webhook_was_decided_and_came_back_untold_is_taken_in(scenario, sandbox, lost):
    lost()
    factories.DeliveryFactory(
        organization=scenario.organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        payload={"event": "candidateStageChange", "data": {"toStageId": sandbox.stage_id(STAGE)}},
        verdict="left_stage",
        decided_at=timezone.now(),
        due_at=None,
    )
    assert on_request.sweep_organization(scenario.organization) == 1


def test_a_worker_does_not_take_what_the_sweep_is_deciding(scenario, sandbox, lost, monkeypatch):
    lost()
    seen = []
    decide = decide_delivery.decide_delivery

    def look_first(delivery, *args, **kwargs):
        seen.append(Delivery.objects.due().count())
        return decide(delivery, *args, **kwargs)

    monkeypatch.setattr(sweep, "decide_delivery", look_first)
    assert on_request.sweep_organization(scenario.organization) == 1
    assert seen == [0]


@pytest.mark.parametrize("status", ["held", "pending", "invited", "uncertain"])
def test_whom_a_person_said_no_to_is_left_alone(scenario, sandbox, lost, super_admin, status):
    lost()
    on_request.sweep_organization(scenario.organization)
    if status == "uncertain":
        scenario.codescreen_fails(status=500)
    if status in {"invited", "uncertain"}:
        scenario.work()
    invitation = Invitation.objects.get()
    if status == "held":
        Invitation.objects.update(status="held")
        invitations.refuse(invitation, super_admin)
    else:
        assert invitation.status == status
        invitations.stop_following(invitation, super_admin)
    sent = sandbox.invitations_sent()
    assert on_request.sweep_organization(scenario.organization) == 0
    Delivery.objects.all().delete()  # as if a webhook had told: the sweep's own delivery is known by its key
    assert on_request.sweep_organization(scenario.organization) == 0
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("withdrawn", sent)


def test_whom_a_person_said_no_to_and_who_came_back_untold_is_taken_in(scenario, sandbox, lost, super_admin):
    lost()
    on_request.sweep_organization(scenario.organization)
    invitations.stop_following(Invitation.objects.get(), super_admin)
    scenario.work()
    lost(stage="Phone screen")
    time.sleep(1.1)  # two entries in one second are one to the sweep
    lost()
    earlier = timezone.now() - timedelta(hours=1)
    Delivery.objects.update(received_at=earlier)
    Invitation.objects.update(changed_at=earlier)
    assert on_request.sweep_organization(scenario.organization) == 1
    scenario.work()
    assert sandbox.invitations_sent() == 1
