"""Deciding a delivery again."""

import pytest

from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox.models.delivery import Delivery
from integrations.queue import acts as queue_acts
from integrations.queue.acts import replay_delivery
from tests.clients.fakes import FakeClients
from tests.support import factories

NO_PLATFORMS = FakeClients()


def test_only_lever_deliveries_are_replayed(organization, super_admin):
    delivery = factories.DeliveryFactory(organization=organization, platform="codescreen")
    with pytest.raises(ActionNotAllowed):
        replay_delivery(delivery, NO_PLATFORMS, super_admin)


def test_a_leased_delivery_is_not_replayed(organization, super_admin):
    factories.DeliveryFactory(organization=organization)
    delivery = factories.claimed(Delivery, "worker")
    with pytest.raises(ActionNotAllowed):
        replay_delivery(delivery, NO_PLATFORMS, super_admin)


def test_a_replay_says_that_a_worker_decided_first(scenario, super_admin, monkeypatch):
    delivery = factories.DeliveryFactory(organization=scenario.organization)

    monkeypatch.setattr(queue_acts, "decide_delivery", lambda *_, **__: None)
    with pytest.raises(ActionNotAllowed, match="just been processed"):
        queue_acts.replay(delivery, super_admin)
