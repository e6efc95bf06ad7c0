"""A delivery waits while the organization is paused or disconnected, and is decided afterwards."""

import pytest

from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.acts.connection import disconnect_lever
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from integrations.store.encryption import sealed
from tests.support.scenario import end_wait, verdict


@pytest.mark.parametrize("what", ["paused", "no lever", "lever refused", "key refused"])
def test_a_delivery_is_kept_while_disconnected_and_decided_when_connected_again(
    scenario, sandbox, super_admin, what
):
    match what:
        case "paused":
            set_policies(scenario.organization, {"paused": True}, super_admin)
        case "no lever":
            disconnect_lever(scenario.organization, super_admin)
        case "lever refused":
            LeverConnection.objects.update(state="needs_reconnect")
        case "key refused":
            CodeScreenConnection.objects.update(state="refused")
    delivery = scenario.enter()
    assert verdict(delivery) == ("paused" if what == "paused" else "disconnected")
    assert delivery.due_at is None
    assert sandbox.invitations_sent() == 0
    match what:
        case "paused":
            set_policies(scenario.organization, {"paused": False}, super_admin)
        case "no lever" | "lever refused":
            sandbox.connect(scenario.organization, super_admin)
        case _:
            save_codescreen_key(scenario.organization, sandbox.api_key, super_admin)
    scenario.work()
    assert verdict(delivery) == "invite"
    assert sandbox.invitations_sent() == 1


def test_the_key_is_marked_refused_when_codescreen_refuses_it_while_deciding(scenario):
    wrong = sealed(CodeScreenConnection.objects.get(), api_key="wrong")
    CodeScreenConnection.objects.update(**wrong, assessments_refreshed_at=None)
    delivery = scenario.enter()
    end_wait()
    scenario.work()
    assert CodeScreenConnection.objects.get().state == "refused"
    assert verdict(delivery) == "disconnected"


def test_the_delivery_is_kept_when_the_grant_is_revoked_while_deciding(scenario, sandbox):
    delivery = scenario.move()
    sandbox.lever_does("revoke")
    scenario.work()
    end_wait()
    scenario.work()
    assert LeverConnection.objects.get().state == "needs_reconnect"
    assert verdict(delivery) == "disconnected"
    subjects = [row.payload["subject"] for row in Effect.objects.filter(kind="send_email")]
    assert subjects == ["Lever needs to be reconnected"]
