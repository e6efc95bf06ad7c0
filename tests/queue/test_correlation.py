"""All that one event leads to shares a correlation id: calls, effects and lines of the log."""

import logging

import pytest
from django.test import Client

from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from portal.logs import CorrelationId
from tests.support import factories
from tests.support.payloads import post_stage_change

#: The loggers of what takes in and handles a delivery, performs an effect and records a result.
WORKED_BY = ("integrations.webhooks", "integrations.inbox", "integrations.outbox", "integrations.results")


@pytest.fixture
def lines(caplog):
    """Return the log's lines about rows so far, each with its correlation id."""
    caplog.set_level(logging.INFO, "integrations")
    with_id = CorrelationId()
    caplog.handler.addFilter(with_id)
    yield lambda: [
        (record.getMessage(), record.__dict__["correlation_id"])
        for record in caplog.records
        if record.name.startswith(WORKED_BY)
    ]
    caplog.handler.removeFilter(with_id)


@pytest.mark.django_db(transaction=True)
def test_one_id_leads_from_a_webhooks_answer_to_the_last_call(scenario, sandbox, lines):
    opportunity = sandbox.opportunity_id("Alder")
    sandbox.lever_does("move", opportunities=[opportunity], stage="CodeScreen Assessment")
    stage = sandbox.stage_id("CodeScreen Assessment")
    factories.LeverWebhookFactory(organization=scenario.organization)
    changes = {"id": "same", "data": {"opportunityId": opportunity, "toStageId": stage}}
    proxied = Client(headers={"X-Request-ID": "of-the-proxy"})
    ApiCall.objects.all().delete()
    address = scenario.organization.lever_webhook_url
    answers = [post_stage_change(proxied, address, factories.SIGNATURE_TOKEN, **changes) for _ in range(2)]
    delivery = Delivery.objects.get(opportunity_id=opportunity)
    while worker.work():
        pass
    shared = f"delivery-{delivery.pk}"
    assert [answer.status_code for answer in answers] == [202, 200]
    assert [answer["X-Correlation-ID"] for answer in answers] == [shared] * 2
    assert [answer["X-Request-ID"] for answer in answers] == ["of-the-proxy"] * 2
    effects = Effect.objects.filter(opportunity_id=opportunity)
    assert {"send_invitation", "set_progress_tag"} <= set(effects.values_list("kind", flat=True))
    assert set(effects.values_list("correlation_id", flat=True)) == {shared}
    calls = ApiCall.objects.filter(opportunity_id=opportunity)
    assert calls.count() >= 3
    assert set(calls.values_list("correlation_id", flat=True)) == {shared}
    invitation_id = effects.get(kind="send_invitation").invitation_id
    assert lines() == [
        (f"{shared} of {scenario.organization.slug}: received", "of-the-proxy"),
        (f"delivery {delivery.pk} of {scenario.organization.slug}: invite", shared),
        (f"invitation {invitation_id}: sent", shared),
    ]
