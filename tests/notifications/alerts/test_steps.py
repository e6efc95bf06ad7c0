"""Each step of a candidate reaches a program that wants it: once, in order, by ids alone."""

import threading
import time
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.api.rows import CandidateRow, InvitationRow, ResultRow
from integrations.clients.duty_budget import Budget
from integrations.codescreen.payloads import WebhookHint
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts.invitations import cancel
from integrations.invitations.acts.undo import take_back_approval
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.acts import (
    AddressSettings,
    add_address,
    change_address,
    remove_address,
    repeat_steps,
)
from integrations.notifications.models.email_kind import CandidateStep
from integrations.notifications.models.preferences import AlertAddress
from integrations.notifications.steps import tell_erasure, tell_step
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy.erase import repeat
from integrations.privacy.models import Erasure
from integrations.privacy.retention import erase_old_messages
from integrations.results import poll
from tests.support import factories
from tests.support.at_once import run_at_once

ONLY_STEPS = AddressSettings(
    name="warehouse",
    url="",
    wants_results=False,
    wants_held=False,
    wants_incidents=False,
    wants_steps=True,
)


@pytest.fixture
def program(scenario, receiver) -> AlertAddress:
    """The address of a program that wants the steps alone."""
    wanted = AddressSettings(**{**vars(ONLY_STEPS), "url": receiver.url})
    address = add_address(scenario.organization, "signed", wanted, "tests")
    scenario.organization.refresh_from_db()
    return address


def steps(receiver) -> list[str]:
    return [body["data"]["step"] for body in receiver.bodies if body["type"] == "step"]


@pytest.fixture
def move(scenario, sandbox):
    """Return what moves a candidate into a stage, and has that decided."""

    def move_and_work(word="Alder", stage="CodeScreen Assessment"):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(stage)}
        factories.DeliveryFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={"event": "candidateStageChange", "data": data},
        )
        scenario.work()

    return move_and_work


def test_a_candidates_way_is_told_step_by_step(scenario, program, receiver, move):
    scenario.set_policies(default_assessment="Backend")
    move()
    scenario.work()
    scenario.candidate_does("start")
    scenario.candidate_does("submit", "evaluate", score=41)
    scenario.work_waiting()
    scenario.candidate_does("regrade", score=82)
    scenario.work_waiting()
    call_command("forget", scenario.organization.slug, Invitation.objects.get().opportunity_id)
    scenario.work()
    assert steps(receiver) == ["invited", "started", "result", "regrade", "erased"]
    assert "lder" not in str(receiver.requests)
    assert "example" not in str(receiver.bodies).replace("127.0.0.1", "")


def test_a_step_has_the_ids_of_the_api(scenario, program, receiver, move):
    scenario.set_policies(default_assessment="Backend")
    move()
    scenario.candidate_does("start", "submit", "evaluate", score=41)
    scenario.work_waiting()
    told = {body["data"]["step"]: body["data"] for body in receiver.bodies}
    rows = {
        "candidate_id": CandidateRow(Candidate.objects.get()).data["id"],
        "invitation_id": InvitationRow(Invitation.objects.get()).data["id"],
        "opportunity_id": Invitation.objects.get().opportunity_id,
    }
    assert {name: told["invited"][name] for name in rows} == rows
    result = ResultRow(Result.objects.get()).data["id"]
    assert (told["result"]["result_id"], told["invited"]["result_id"]) == (result, None)
    assert told["result"]["text"] == "There is a result of “Backend”."
    assert told["result"]["url"].endswith(f"/activity/{rows['opportunity_id']}/")


def test_who_is_not_invited_and_who_is_on_hold_is_told(scenario, program, receiver, move):
    move("Hazel")
    scenario.set_policies(default_assessment="Backend", bulk_limit=1, bulk_window=60)
    move("Alder")
    move("Tamarack")
    scenario.work_waiting()
    told = [body["data"] for body in receiver.bodies]
    assert sorted(one["step"] for one in told) == ["held", "invited", "not_invited"]
    skipped = next(one for one in told if one["step"] == "not_invited")
    assert skipped["verdict"] == "no_assessment"
    assert skipped["delivery_id"]
    held = next(one for one in told if one["step"] == "held")
    assert held["invitation_id"] == Invitation.objects.get(status="held").pk


@pytest.fixture
def unsent(scenario, program) -> Invitation:
    """An invitation whose sending isn't due yet."""
    invitation = scenario.pending_invitation()
    Effect.objects.filter(state="due").update(due_at=timezone.now() + timedelta(minutes=1))
    return invitation


def told_of(receiver, invitation) -> list[str]:
    """Return the steps that name the invitation."""
    told = [body["data"] for body in receiver.bodies]
    return [one["step"] for one in told if one.get("invitation_id") == invitation.pk]


def test_who_turns_out_to_need_extra_time_is_told(scenario, sandbox, receiver, unsent):
    scenario.set_policies(hold_tag="Accommodation")
    sandbox.lever_does("tags", opportunity=unsent.opportunity_id, add=["accommodation"])
    Invitation.objects.update(checked_at=None)
    scenario.work_waiting()
    scenario.work()
    assert told_of(receiver, unsent) == ["held"]


def test_an_approval_that_is_taken_back_is_told(scenario, receiver, unsent, super_admin):
    take_back_approval(unsent, super_admin)
    scenario.work()
    assert told_of(receiver, unsent) == ["held"]


@pytest.mark.parametrize("changes", [{}, {"status": "held"}])
def test_an_invitation_that_a_person_cancels_unsent_is_told(scenario, receiver, unsent, super_admin, changes):
    Invitation.objects.update(**changes)
    cancel(unsent, super_admin)
    scenario.work()
    assert told_of(receiver, unsent) == ["not_invited"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "uncertain"},
        {"first_call_at": timezone.now()},
        {"status": "invited", "instance_id": "instance-1"},
        {"status": "failed"},  # that it failed was told
    ],
)
def test_of_a_cancelled_one_that_was_possibly_sent_or_failed_nothing_is_told(
    scenario, receiver, unsent, super_admin, changes
):
    Invitation.objects.update(**changes)
    cancel(unsent, super_admin)
    scenario.work()
    assert told_of(receiver, unsent) == []


def test_who_leaves_the_stage_before_the_sending_is_told(scenario, receiver, unsent):
    scenario.enter(stage="Phone screen")
    scenario.work()
    assert told_of(receiver, unsent) == ["not_invited"]


def test_who_has_left_when_they_are_read_again_is_told(scenario, sandbox, receiver, unsent):
    sandbox.lever_does("move", opportunities=[unsent.opportunity_id], stage="Phone screen")
    Invitation.objects.update(checked_at=None)
    scenario.work_waiting()
    scenario.work()
    assert told_of(receiver, unsent) == ["not_invited"]


def test_who_does_not_start_is_told(scenario, program, receiver):
    invitation = scenario.sent_invitation()
    long_ago = timezone.now() - timedelta(days=99)
    Invitation.objects.filter(pk=invitation.pk).update(followed_since=long_ago)
    scenario.poll()
    scenario.work()
    assert steps(receiver) == ["invited", "not_started"]


def test_an_invitation_that_could_not_be_sent_is_told(scenario, program, receiver):
    scenario.codescreen_fails(status=422)
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.work_waiting()
    [told] = [body["data"] for body in receiver.bodies]
    assert (told["step"], told["invitation_id"]) == ("not_invited", invitation.pk)


def test_a_submission_that_a_webhook_reports_is_told(scenario, program, receiver):
    invitation = scenario.sent_invitation()
    hint = WebhookHint("candidate.submitted", invitation.instance_id, "")
    poll.apply_hint(scenario.organization, hint)
    scenario.work()
    assert steps(receiver) == ["invited", "submitted"]


def test_the_erasure_is_told_although_it_stops_what_waits(scenario, program, receiver):
    receiver.answers = [(500, {})]
    invitation = scenario.sent_invitation()
    call_command("forget", scenario.organization.slug, invitation.opportunity_id)
    receiver.answers = [(200, {})]
    scenario.work_waiting()
    assert steps(receiver)[-1] == "erased"
    states = Effect.objects.filter(kind="send_alert").order_by("pk").values_list("state", flat=True)
    assert list(states) == ["cancelled", "done"]


def test_the_erasure_is_told_although_it_is_repeated_before(scenario, program, receiver):
    invitation = scenario.sent_invitation()
    receiver.answers = [(500, {})]
    call_command("forget", scenario.organization.slug, invitation.opportunity_id)
    scenario.work()
    repeat(scenario.organization, Erasure.objects.get())
    receiver.answers = [(200, {})]
    scenario.work_waiting()
    assert steps(receiver) == ["invited", "erased", "erased"]
    assert repeat_steps(program, timedelta(days=1), "tests") == 1
    scenario.work()
    assert receiver.bodies[-1] == receiver.bodies[-2]


def test_the_step_of_an_erasure_is_emptied_when_it_is_old(scenario, program, receiver):
    invitation = scenario.sent_invitation()
    call_command("forget", scenario.organization.slug, invitation.opportunity_id)
    scenario.work()
    soon = timezone.now() + timedelta(hours=1)
    assert erase_old_messages(scenario.organization, soon, "tests", Budget())
    assert not Effect.objects.filter(kind="send_alert").exclude(payload={}).exists()


def test_nothing_is_enqueued_where_nobody_wants_steps(scenario, receiver, move, django_assert_num_queries):
    factories.alert_address(scenario.organization)
    invitation = scenario.pending_invitation()
    with django_assert_num_queries(0):
        tell_step(invitation, CandidateStep.INVITED)
        tell_erasure(scenario.organization, "opportunity-1")
    assert not Effect.objects.filter(kind="send_alert").exists()


# the switch


def tells_steps() -> bool:
    return Organization.objects.get().tells_steps


def test_the_organization_notes_whether_an_address_wants_steps(organization, settings):
    settings.ALLOW_PRIVATE_ADDRESSES = True
    wanted = vars(ONLY_STEPS) | {"url": "https://127.0.0.1/x"}
    address = add_address(organization, "signed", AddressSettings(**wanted), "tests")
    assert tells_steps()
    change_address(address, AddressSettings(**wanted | {"is_on": False}), "tests")
    assert not tells_steps()
    change_address(address, AddressSettings(**wanted), "tests")
    assert tells_steps()
    remove_address(address, "tests")
    assert not tells_steps()


@pytest.mark.django_db(transaction=True)
def test_steps_are_told_when_an_address_is_removed_while_another_is_added(organization):
    former = factories.alert_address(organization, kind="signed", name="former", wants_steps=True)
    is_added = threading.Event()

    def add():
        with transaction.atomic():
            Organization.objects.lock(organization.pk)
            factories.alert_address(organization, kind="signed", name="another", wants_steps=True)
            Organization.objects.filter(pk=organization.pk).update(tells_steps=True)
            is_added.set()
            time.sleep(0.5)

    def remove():
        is_added.wait(10)
        remove_address(former, "tests")

    work = iter([add, remove])
    assert run_at_once(lambda: next(work)(), times=2) == []
    assert tells_steps()


def test_only_a_signed_webhook_gets_steps(organization):
    wanted = AddressSettings(**vars(ONLY_STEPS) | {"url": "https://1.1.1.1/x"})
    with pytest.raises(ValidationError, match="Only a signed webhook gets each step"):
        add_address(organization, "slack", wanted, "tests")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.alert_address(organization, wants_steps=True)


# sent again


def test_steps_are_sent_again_with_the_same_ids(scenario, program, receiver):
    scenario.sent_invitation()
    assert repeat_steps(program, timedelta(days=1), "tests") == 1
    scenario.work()
    first, second = (
        {name.lower(): value for name, value in headers.items()} for _, headers, _ in receiver.requests
    )
    assert first["webhook-id"] == second["webhook-id"]
    assert steps(receiver) == ["invited", "invited"]
    Effect.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert repeat_steps(program, timedelta(days=1), "tests") == 0


@pytest.mark.parametrize(
    ("column", "value", "fix"),
    [("is_on", False, "Turn the address on first."), ("stopped_at", timezone.now(), "Send a test first")],
)
def test_nothing_is_sent_again_while_the_address_is_off_or_stopped(scenario, program, column, value, fix):
    scenario.sent_invitation()
    AlertAddress.objects.update(**{column: value})
    with pytest.raises(ActionNotAllowed, match=fix):
        repeat_steps(program, timedelta(days=1), "tests")
    scenario.work()
    assert Effect.objects.get(kind="send_alert").state == "done"


def test_a_step_is_tried_for_three_days(scenario, program, receiver):
    receiver.answers = [(503, {})]
    scenario.sent_invitation()
    effect = Effect.objects.get(kind="send_alert")
    Effect.objects.filter(pk=effect.pk).update(created_at=timezone.now() - timedelta(hours=72))
    scenario.work_waiting()
    effect.refresh_from_db()
    assert effect.state == "due"
