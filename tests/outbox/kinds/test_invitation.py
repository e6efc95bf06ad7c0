"""Send an invitation exactly once, whatever CodeScreen answers."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import CodeScreenConnection
from integrations.health import incidents
from integrations.http import steps
from integrations.http.session import PlatformError
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kinds.invitation import EARLIER_ROUND
from integrations.outbox.models.effect import Effect
from integrations.outbox.sending import refusal_note
from integrations.store.encryption import sealed
from tests.outbox.conftest import sending_calls
from tests.support import factories

ALDER = "alder@candidates.example"


def test_an_invitation_is_retried_after_the_time_codescreen_asks_for(scenario, sandbox):
    scenario.codescreen_fails(status=503, retry_after=120)
    invitation = scenario.pending_invitation()
    scenario.work()
    effect, row = scenario.latest_effect(), scenario.reread(invitation)
    assert (effect.state, effect.attempt_started_at) == ("due", None)
    assert (row.status, row.first_call_at) == ("pending", None)
    wait = effect.due_at - timezone.now()
    assert timedelta(seconds=110) < wait <= timedelta(seconds=121)
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().attempts == 2


def test_an_invitation_fails_and_a_note_says_what_to_do_when_codescreen_refuses_it(scenario, sandbox):
    scenario.failed_invitation()
    effect = scenario.latest_effect()
    assert effect.state == "failed"
    assert "422" in effect.last_error
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert "could not be sent" in note
    assert refusal_note(422) in note
    assert "@" not in note
    assert "Alder" not in note
    scenario.work_waiting()
    assert sending_calls() == 1


def test_an_invitation_waits_for_a_new_key_when_the_key_is_refused(scenario, sandbox, super_admin):
    CodeScreenConnection.objects.update(**sealed(CodeScreenConnection.objects.get(), api_key="wrong"))
    invitation = scenario.pending_invitation()
    scenario.work()
    scenario.work_waiting()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempts, scenario.reread(invitation).status) == ("due", 0, "pending")
    connection = CodeScreenConnection.objects.get()
    assert connection.state == "refused"
    for _ in range(2):
        incidents.update_incidents(scenario.organization)
    assert Effect.objects.filter(kind="send_email").count() == 1
    assert sending_calls() == 1
    save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_invitation_is_confirmed_when_a_conflict_names_its_instance(scenario, sandbox):
    sandbox.codescreen_does("settings", conflict_409=True)
    invitation = scenario.sent_invitation()
    instance = invitation.instance_id
    factories.InvitationFactory(status="invited", instance_id=instance)  # of another organization
    Invitation.objects.filter(pk=invitation.pk).update(status="uncertain", instance_id="")
    invitations.send_again(invitation, "test")
    scenario.work()
    again = scenario.reread(invitation)
    assert (again.status, again.instance_id, sandbox.invitations_sent(ALDER)) == ("invited", instance, 1)


def test_an_invitation_fails_when_a_conflict_names_another_invitations_instance(scenario, sandbox):
    sandbox.codescreen_does("settings", conflict_409=True)
    scenario.sent_invitation()
    second = scenario.pending_invitation("Tamarack", email=ALDER)
    scenario.work()
    second = scenario.reread(second)
    assert (second.status, second.instance_id) == ("failed", "")
    assert "already" in second.status_reason
    assert scenario.latest_effect().state == "failed"
    assert sandbox.invitations_sent(ALDER) == 1


def test_a_conflict_with_an_earlier_round_says_so_and_that_round_is_followed_again(scenario, sandbox):
    sandbox.codescreen_does("settings", conflict_409=True)
    first = scenario.sent_invitation()
    invitations.cancel(first, "test")
    second = invitations.invite_again(first, "test")
    scenario.work()
    second = scenario.reread(second)
    assert (second.status, second.status_reason) == ("failed", EARLIER_ROUND.format(round=1))
    note = scenario.latest_effect("leave_note").payload["text"]
    assert "could not be sent. The candidate already has it: it is round 1. To get its result" in note
    Invitation.objects.filter(pk=first.pk).update(changed_at=timezone.now() - timedelta(minutes=5))
    assert scenario.enter().verdict == "already_invited"
    assert scenario.reread(first).status == "invited"


def test_only_what_codescreen_publishes_is_sent(scenario):
    scenario.sent_invitation()
    call = ApiCall.objects.get(platform="codescreen", method="POST")
    assert set(json.loads(call.request_body)) == {"assessmentId", "firstName", "lastName", "email"}


def test_a_refusal_of_the_former_key_does_not_mark_the_newly_saved_key(
    scenario, sandbox, super_admin, monkeypatch
):
    invitation = scenario.pending_invitation()
    key = CodeScreenConnection.objects.get().api_key

    def refuse_after_new_key(*_: Any) -> None:
        CodeScreenConnection.objects.update(state="refused")  # another worker has marked the former key
        save_codescreen_key(scenario.organization, key, super_admin)
        raise PlatformError("CodeScreen answered 401", status=401, permanent=True)

    with monkeypatch.context() as patch:
        patch.setattr(CodeScreenClient, "send", refuse_after_new_key)
        scenario.work()
    assert CodeScreenConnection.objects.get().is_working
    # saving made waiting effects due, and this one was being sent
    assert scenario.latest_effect().due_at - timezone.now() <= steps.FIRST_RETRY
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
