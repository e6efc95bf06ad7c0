"""Polling an organization at once, and deciding a delivery again."""

import pytest

from integrations.clients.provider import ClientProvider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox.models.delivery import Delivery
from integrations.queue import acts as queue_acts
from tests.support import factories


def test_polling_an_organization_returns_how_many_invitations_were_polled(connected_organization):
    for status, instance in (("invited", "i1"), ("in_progress", "i2"), ("completed", "i3"), ("pending", "")):
        factories.InvitationFactory(organization=connected_organization, status=status, instance_id=instance)
    factories.InvitationFactory(status="invited", instance_id="i4")  # another organization's
    assert queue_acts.poll_organization(connected_organization) == 2
    assert queue_acts.poll_organization(connected_organization, everything=True) == 3


@pytest.mark.parametrize("platform", ["codescreen", "lever"])
def test_neither_a_webhook_of_codescreens_nor_a_leased_delivery_is_replayed(
    organization, super_admin, platform
):
    delivery = factories.DeliveryFactory(organization=organization, platform=platform)
    if platform == "lever":
        delivery = factories.claimed(Delivery, "worker")
    with pytest.raises(ActionNotAllowed):
        queue_acts.replay_delivery(delivery, ClientProvider(organization), super_admin)


def test_a_replay_says_that_a_worker_decided_first(scenario, super_admin, monkeypatch):
    delivery = factories.DeliveryFactory(organization=scenario.organization)
    monkeypatch.setattr(queue_acts, "decide_delivery", lambda *_, **__: None)
    with pytest.raises(ActionNotAllowed, match="just been processed"):
        queue_acts.replay(delivery, super_admin)
