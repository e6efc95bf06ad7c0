"""The idempotency key: one per request, repeated for a day, never a way to a second e-mail."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.http import session
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from tests.effects.conftest import sending_calls
from tests.support import factories

ALDER, CORRECT = "alder@candidates.example", "alder.correct@candidates.example"


@pytest.fixture(autouse=True)
def idempotent_account(sandbox, scenario):
    """An account that honours the key; Lever sends no webhooks."""
    sandbox.lever_does("settings", webhooks_enabled=False)
    sandbox.codescreen_does("settings", idempotency=True)
    CodeScreenConnection.objects.update(idempotency=True)


@pytest.fixture
def keys(monkeypatch):
    """The idempotency keys of the calls that send, in their order."""
    keys: list[str] = []
    request = session.PlatformSession.request

    def record(session, method, path, **more):
        if method == "POST" and path == "/assessments":
            keys.append(more["headers"]["Idempotency-Key"])
        return request(session, method, path, **more)

    monkeypatch.setattr(session.PlatformSession, "request", record)
    return keys


@pytest.fixture
def unanswered(scenario):
    """An invitation that arrived at CodeScreen, whose answer was lost."""
    scenario.codescreen_fails(kind="status_after", status=500)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "sending"
    return invitation


def age(invitation, by):
    """Let the first call, and all else about the invitation, have happened earlier."""
    row = Invitation.objects.get(pk=invitation.pk)
    Invitation.objects.filter(pk=row.pk).update(first_call_at=row.first_call_at - by)
    Effect.objects.filter(invitation=row).update(created_at=timezone.now() - by)


def test_a_call_is_repeated_with_its_key_within_a_day(scenario, sandbox, unanswered, keys):
    age(unanswered, timedelta(hours=23))
    scenario.work_waiting()
    assert (scenario.reread(unanswered).status, sandbox.invitations_sent()) == ("invited", 1)


def test_a_call_without_an_answer_for_a_day_is_uncertain_and_not_repeated(
    scenario, sandbox, unanswered, keys
):
    scenario.codescreen_fails(status=401)  # a key that is refused over the weekend
    scenario.work_waiting()
    CodeScreenConnection.objects.update(state="connected")
    age(unanswered, timedelta(hours=24))
    sandbox.codescreen.platform.accounts["acme"].idempotent_answers.clear()
    scenario.work_waiting()
    row = scenario.reread(unanswered)
    assert (row.status, scenario.latest_effect().state) == ("uncertain", "uncertain")
    assert "for a day" in row.status_reason
    assert sandbox.invitations_sent() == 1
    assert len(keys) == 1


def test_the_day_begins_with_the_first_call_not_with_a_repeat(scenario, sandbox, unanswered):
    first_call_at = scenario.reread(unanswered).first_call_at
    scenario.codescreen_fails(status=503)
    scenario.work_waiting()
    row = scenario.reread(unanswered)
    assert (row.status, row.first_call_at) == ("sending", first_call_at)


def test_a_call_that_did_not_arrive_does_not_begin_the_day(scenario):
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert (scenario.reread(invitation).status, scenario.reread(invitation).first_call_at) == (
        "pending",
        None,
    )


def test_what_is_sent_after_a_refusal_has_a_key_of_its_own(scenario, sandbox, keys):
    scenario.codescreen_fails(status=422)
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.correct(email=CORRECT)
    invitations.send_again(invitation, "test")
    scenario.work()
    row = scenario.reread(invitation)
    assert (row.status, sandbox.invitations_sent(CORRECT)) == ("invited", 1)
    assert len(set(keys)) == 2
    assert keys[-1] == row.external_id


def test_a_corrected_address_has_a_key_of_its_own_when_no_call_may_have_arrived(scenario, sandbox, keys):
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    scenario.work()
    Invitation.objects.update(checked_at=None)
    scenario.correct(email=CORRECT)
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(CORRECT)) == ("invited", 1)
    assert len(set(keys)) == 2


def test_a_withdrawn_invitation_that_is_decided_anew_has_a_key_of_its_own(scenario, sandbox, keys):
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.reread(invitation).move("withdrawn", "The candidate left the stage.")
    stage_id = sandbox.stage_id("CodeScreen Assessment")
    factories.DeliveryFactory.create(
        organization=scenario.organization,
        opportunity_id=invitation.opportunity_id,
        payload={
            "event": "candidateStageChange",
            "data": {"opportunityId": invitation.opportunity_id, "toStageId": stage_id},
        },
    )
    scenario.work()
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert len(set(keys)) == 2


@pytest.fixture
def uncertain(scenario, unanswered):
    """An invitation that arrived, whose answer was lost and whose repeat was refused."""
    scenario.codescreen_fails(status=422)
    scenario.work_waiting()
    assert scenario.reread(unanswered).status == "uncertain"
    return unanswered


def test_sending_again_within_a_day_finds_the_invitation_that_arrived(scenario, sandbox, uncertain, keys):
    invitations.send_again(uncertain, "test")
    scenario.work()
    assert (scenario.reread(uncertain).status, sandbox.invitations_sent()) == ("invited", 1)
    assert keys == [scenario.reread(uncertain).external_id]


def test_a_corrected_address_is_uncertain_while_an_earlier_call_may_have_arrived(
    scenario, sandbox, uncertain
):
    """CodeScreen isn't asked: were it to repeat its first answer, the corrected address would look invited."""
    scenario.correct(email=CORRECT)
    calls = sending_calls()
    for _ in range(2):
        invitations.send_again(uncertain, "test")
        scenario.work()
        row = scenario.reread(uncertain)
        assert (row.status, sandbox.invitations_sent(), sending_calls()) == ("uncertain", 1, calls)
        assert "may have reached CodeScreen" in row.status_reason
    assert scenario.latest_effect().state == "uncertain"


def test_an_address_in_other_letters_is_the_one_that_an_earlier_call_had(scenario, sandbox, uncertain):
    scenario.correct(email=uncertain.email.upper())
    invitations.send_again(uncertain, "test")
    scenario.work()
    row = scenario.reread(uncertain)
    assert (row.status, row.email, sandbox.invitations_sent()) == ("invited", uncertain.email, 1)


def test_a_person_can_send_again_when_the_day_is_over(scenario, sandbox, uncertain):
    Invitation.objects.update(first_call_at=timezone.now() - timedelta(days=2))
    sandbox.codescreen.platform.accounts["acme"].idempotent_answers.clear()
    scenario.correct(email=CORRECT)
    calls = sending_calls()
    invitations.send_again(uncertain, "test")
    scenario.work()
    assert (scenario.reread(uncertain).status, sandbox.invitations_sent(CORRECT)) == ("invited", 1)
    assert sending_calls() == calls + 1
    assert timezone.now() - scenario.reread(uncertain).first_call_at < timedelta(hours=1)
