"""The outbox road: what is kept from being tried loses no time, and what can't be looked up isn't given up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.models import CodeScreenConnection, Effect, Invitation, Organization
from integrations.workflow import connect, effects, invite, outbox
from tests import factories


@pytest.mark.parametrize("reason", ["paused", "disconnected"])
def test_what_waited_long_for_a_person_is_still_tried_for_days(box, world, owner, reason):
    if reason == "paused":
        Organization.objects.update(paused=True)
    else:
        CodeScreenConnection.objects.update(state="refused")
    invitation = box.invitation()
    Effect.objects.update(created_at=timezone.now() - effects.KEEP_TRYING - timedelta(days=1))
    box.work()
    box.codescreen_fails(status=503)
    if reason == "paused":
        box.organization.refresh_from_db()
        connect.set_policies(box.organization, {"paused": False}, owner)
    else:
        CodeScreenConnection.objects.update(state="connected")
    box.later()
    assert (box.effect().state, box.effect().attempts, box.reread(invitation).status) == ("due", 1, "pending")
    box.later()
    assert (box.reread(invitation).status, world.emails()) == ("invited", 1)


@pytest.mark.parametrize("looked", ["before", "in between"])
def test_who_is_invited_anew_while_a_worker_finds_them_withdrawn_is_invited(box, world, monkeypatch, looked):
    invitation = box.invitation()
    left = Invitation.objects.get(pk=invitation.pk)
    if looked == "before":
        left.move("withdrawn", "The candidate left the stage.")
    effect = factories.claimed(Effect, "slow")
    effect.organization = box.organization
    if looked == "in between":
        assert effect.invitation.status == "pending"  # as the worker knows it
        left.move("withdrawn", "The candidate left the stage.")
    cancel = invite._cancel

    def slowly(*args):
        left.move("pending")
        outbox.send_invitation(left)
        cancel(*args)

    monkeypatch.setattr(invite, "_cancel", slowly)
    effects.perform(effect, tasks.platforms_for(box.organization, effect=effect))
    monkeypatch.undo()
    box.later()
    assert (box.reread(invitation).status, world.emails()) == ("invited", 1)


def test_a_refused_write_is_not_given_up_while_its_author_cannot_be_looked_up(box, world):
    box.invitation()
    fault = {"kind": "status", "times": 1}
    rules = [
        {"method": "POST", "path": "/addTags", "status": 403, **fault},
        {"method": "GET", "path": "/users", "status": 503, **fault},
    ]
    world.lever_does("faults", seed=1, rules=rules)
    box.work()
    assert box.effect("set_progress_tag").state == "due"
    box.later()
    assert box.effect("set_progress_tag").state == "done"
