"""The outbox road: what is kept from being tried loses no time, and what can't be looked up isn't given up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import CodeScreenConnection, Effect, Organization
from integrations.workflow import connect, effects


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
