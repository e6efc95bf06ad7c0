"""Perform effects: what keeps an effect from being tried doesn't use up its retries, and for how long it is tried."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from integrations.clients import provider
from integrations.clients.hooks import CallContext
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import RETRY_FOR_IN_WORDS
from integrations.http import steps
from integrations.http.steps import RETRY_FOR
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox import perform
from integrations.outbox.kinds import invitation as sending
from integrations.outbox.models.effect import Effect
from integrations.outbox.sending import cancel_or_retry
from tests.outbox.conftest import enqueue_note_on_candidate, notes_on
from tests.queue.test_worker_crashes import Killed, kill_worker
from tests.support import factories
from tests.support.effects import enqueue_invitation


def test_the_retry_window_restarts_when_an_effect_waited_for_a_person(scenario, sandbox):
    CodeScreenConnection.objects.update(state="refused")
    invitation = scenario.pending_invitation()
    Effect.objects.update(created_at=timezone.now() - steps.RETRY_FOR - timedelta(days=1))
    scenario.work()
    scenario.codescreen_fails(status=503)
    CodeScreenConnection.objects.update(state="connected")
    scenario.work_waiting()
    effect = scenario.latest_effect()
    assert (effect.state, effect.attempts, scenario.reread(invitation).status) == ("due", 1, "pending")
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


@pytest.mark.parametrize(
    ("topic", "state", "error"), [("result", "due", "The portal is paused."), ("members_changed", "done", "")]
)
def test_a_pause_by_an_admin_holds_an_email_about_candidates_too(scenario, topic, state, error):
    Organization.objects.update(paused=True)
    email = factories.EffectFactory.create(
        organization=scenario.organization, kind="send_email", email_topic=topic, opportunity_id=""
    )
    scenario.work()
    email.refresh_from_db()
    assert (email.state, email.last_error) == (state, error)


def test_an_invitation_requested_again_is_sent_while_a_worker_finds_it_withdrawn(
    scenario, sandbox, monkeypatch
):
    invitation = scenario.pending_invitation()
    withdrawn = Invitation.objects.get(pk=invitation.pk)
    effect = factories.claimed(Effect, "slow")
    effect.organization = scenario.organization
    withdrawn.move("withdrawn", "The candidate left the stage.")
    decide = cancel_or_retry

    def decide_after_new_request(invitation):
        withdrawn.move("pending")
        enqueue_invitation(withdrawn)
        return decide(invitation)

    monkeypatch.setattr(sending, "cancel_or_retry", decide_after_new_request)
    perform.perform(effect, provider.ClientProvider(scenario.organization, CallContext(effect=effect)))
    monkeypatch.undo()
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


def test_a_refused_write_is_retried_when_its_author_cannot_be_looked_up(scenario, sandbox):
    scenario.pending_invitation()
    fault = {"kind": "status", "times": 1}
    rules = [
        {"method": "POST", "path": "/addTags", "status": 403, **fault},
        {"method": "GET", "path": "/users", "status": 503, **fault},
    ]
    sandbox.lever_does("faults", seed=1, rules=rules)
    scenario.work()
    assert scenario.latest_effect("set_progress_tag").state == "due"
    scenario.work_waiting()
    assert scenario.latest_effect("set_progress_tag").state == "done"


def test_a_pause_holds_an_effect_whose_worker_was_killed_after_a_refusal(scenario, sandbox, monkeypatch):
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    monkeypatch.setattr(perform, "_after_error", kill_worker)
    with pytest.raises(Killed):
        scenario.work()
    monkeypatch.undo()
    assert (scenario.latest_effect().attempt_started_at is None, scenario.reread(invitation).status) == (
        False,
        "pending",
    )
    Effect.objects.filter(state="due").update(leased_until=timezone.now() - timedelta(seconds=1))
    Organization.objects.update(paused=True)
    scenario.work()
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("due", 0)


def test_effects_of_a_lost_connection_wait_and_are_performed_after_reconnecting(scenario, sandbox):
    invitation = scenario.pending_invitation()
    enqueue_note_on_candidate(scenario)
    LeverConnection.objects.update(state="needs_reconnect")
    scenario.work()
    assert scenario.reread(invitation).status == "invited"  # CodeScreen isn't concerned
    waiting = Effect.objects.filter(state="due")
    assert {row.kind for row in waiting} >= {"leave_note", "set_progress_tag"}
    assert {row.attempts for row in waiting} == {0}
    LeverConnection.objects.update(state="connected")
    scenario.work_waiting()
    assert notes_on(sandbox) == ["CodeScreen: nothing was sent."]


# how long the portal tries again, in numbers and in words


NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def test_sentences_say_for_how_long_the_portal_tries_again():
    assert timedelta(days=RETRY_FOR.days) == RETRY_FOR
    assert f"{NUMBERS[RETRY_FOR.days]} days" == RETRY_FOR_IN_WORDS


@pytest.mark.parametrize(
    "document", ["portal/docs/operating/verdicts.md", "portal/docs/operating/observability.md"]
)
def test_documents_say_it_too(document):
    assert f"for {RETRY_FOR_IN_WORDS}" in (Path(settings.BASE_DIR) / document).read_text()
