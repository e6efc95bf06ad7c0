"""A collector gets one trace from a webhook's answer to the last call, with codes and ids alone."""

import ast
import hashlib
import inspect
import re

import pytest
from django.conf import settings as django_settings

from integrations.clients.hooks import endpoint_of
from integrations.clients.models import ApiCall
from integrations.codescreen import client as codescreen_client
from integrations.core import correlation, spans
from integrations.http.session import CallDeferred
from integrations.inbox.models.delivery import Delivery
from integrations.lever import client as lever_client
from integrations.outbox.models import Effect
from integrations.queue import worker
from integrations.queue.models.duty_run import Duty
from tests.support import duty_runs, factories
from tests.support.collector import collecting, resources, values_of
from tests.support.payloads import load, sign


@pytest.fixture
def traces():
    with collecting() as traces:
        yield traces


def post(client, organization, payload, **headers):
    return client.post(
        f"/webhooks/lever/{organization.webhook_key}/",
        sign(payload, factories.SIGNATURE_TOKEN),
        "application/json",
        headers=headers,
    )


def move(scenario, word="Alder"):
    """Move a candidate in Lever; return the webhook that tells of it."""
    opportunity = scenario.sandbox.opportunity_id(word)
    stage = "CodeScreen Assessment"
    scenario.sandbox.lever_does("move", opportunities=[opportunity], stage=stage)
    ids = {"opportunityId": opportunity, "toStageId": scenario.sandbox.stage_id(stage)}
    return load("lever/candidate_stage_change", data=ids)


@pytest.fixture
def webhook(scenario):
    factories.LeverWebhookFactory(organization=scenario.organization, name="of this test")
    return move(scenario)


@pytest.mark.django_db(transaction=True)
def test_one_trace_leads_from_a_webhooks_answer_to_the_last_call(scenario, webhook, traces, client):
    ApiCall.objects.all().delete()
    organization = scenario.organization
    answer = post(client, organization, webhook)
    while worker.work():
        pass
    shared = answer["X-Correlation-ID"]
    sent = traces.sent()
    # as the documentation says it, for who has the id of an answer
    digest = hashlib.sha256(f"{django_settings.PORTAL_URL} {shared}".encode()).hexdigest()
    assert {one.trace_id for one in sent} == {digest[:32]}
    assert {one.attributes["portal.correlation_id"] for one in sent} == {shared}
    assert not any(one.is_failed for one in sent)

    [request] = [one for one in sent if one.kind == "SERVER"]
    assert (request.name, request.parent_id) == ("lever-webhook", "")
    assert (
        request.attributes.items()
        >= {"http.request.method": "POST", "http.response.status_code": 202}.items()
    )
    steps = {one.name: one for one in sent if one.kind == "INTERNAL"}
    assert {"decide", "perform send_invitation", "perform set_progress_tag"} <= set(steps)
    assert {one.parent_id for one in steps.values()} == {request.span_id}
    assert steps["decide"].attributes["portal.verdict"] == "invite"
    assert steps["perform send_invitation"].attributes == {
        "portal.correlation_id": shared,
        "portal.kind": "send_invitation",
        "portal.organization": organization.pk,
        "portal.attempt": 1,
        "portal.state": "done",
    }
    calls = [one for one in sent if one.kind == "CLIENT"]
    stored = ApiCall.objects.filter(correlation_id=shared)
    assert len(calls) == stored.count() >= 3
    assert {one.parent_id for one in calls} <= {step.span_id for step in steps.values()}
    [sending] = [one for one in calls if one.parent_id == steps["perform send_invitation"].span_id]
    assert sending.name == "codescreen POST /assessments"
    assert sending.attributes.keys() == {
        "portal.correlation_id", "portal.platform", "portal.endpoint", "portal.organization",
        "portal.waited_seconds", "http.response.status_code",
    }  # fmt: skip
    assert "lever POST /opportunities/{id}/addTags" in {one.name for one in calls}
    assert steps["perform send_invitation"].seconds >= sending.seconds


@pytest.mark.django_db(transaction=True)
def test_a_repeated_webhook_is_a_trace_of_its_own(scenario, webhook, traces, client):
    answers = [post(client, scenario.organization, webhook) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    first, second = traces.sent()
    assert first.trace_id != second.trace_id
    assert first.attributes["portal.correlation_id"] == answers[0]["X-Correlation-ID"]
    assert second.attributes["portal.correlation_id"] == answers[1]["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_poll_begins_the_trace_of_what_its_result_leads_to(scenario, traces):
    scenario.sent_invitation()
    person = {"email": "alder@candidates.example", "assessment": "Backend"}
    scenario.sandbox.codescreen_does("candidate", action=["start", "submit", "evaluate"], **person)
    traces.sent()
    traces.receiver.requests.clear()
    scenario.poll()
    scenario.work()
    sent = traces.sent()
    [poll] = [one for one in sent if one.name == "poll"]
    [feedback] = [one for one in sent if one.name == "perform write_feedback"]
    assert (poll.parent_id, feedback.parent_id) == ("", poll.span_id)
    assert feedback.trace_id == poll.trace_id


@pytest.mark.django_db(transaction=True)
def test_what_the_sweep_finds_is_a_trace_that_names_the_duty(scenario, traces):
    scenario.place()
    duty_runs.perform(Duty.SWEEP_FULLY, scenario.organization)
    scenario.work()
    sent = traces.sent()
    [duty] = [one for one in sent if one.name == f"duty {Duty.SWEEP_FULLY}"]
    [found] = [one for one in sent if one.name == "store"]
    delivery = Delivery.objects.get(event="sweep")
    of_delivery = {one.name: one for one in sent if one.trace_id == found.trace_id}
    assert found.attributes["portal.correlation_id"] == correlation.of_delivery(delivery.pk)
    assert found.links == ((duty.trace_id, duty.span_id),)
    assert of_delivery["decide"].parent_id == found.span_id
    assert of_delivery["perform send_invitation"].parent_id == found.span_id
    assert set(Effect.objects.filter(delivery=delivery).values_list("correlation_id", flat=True)) == {
        correlation.of_delivery(delivery.pk)
    }


def test_an_error_marks_the_span(traces):
    with pytest.raises(ZeroDivisionError), correlation.use(), spans.around("step"):
        1 / 0  # noqa: B018
    for platform_status, request_status in ((None, 500), (404, 503)):
        spans.ended("call", 0.1, "delivery-1", platform="lever", status=platform_status)
        spans.ended("page", 0.1, "delivery-1", method="GET", status=request_status)
    spans.ended("page", 0.1, "delivery-1", method="GET", status=404)
    assert [one.is_failed for one in traces.sent()] == [True] * 5 + [False]


def test_a_turn_that_goes_on_later_is_no_error(traces):
    with pytest.raises(CallDeferred), correlation.use(), spans.around("duty sweep", is_first=True):
        raise CallDeferred(1.0)
    assert [one.is_failed for one in traces.sent()] == [False]


def test_who_sends_is_told_without_anything_of_the_environment(traces, settings):
    with correlation.use(), spans.around("step"):
        pass
    traces.sent()
    [resource] = resources(traces.receiver)
    about = values_of(resource.resource.attributes)
    assert about["service.name"] == "codescreen-lever-portal"
    assert about["portal.node"] == settings.NODE
    assert about.keys() == {
        "service.name", "service.version", "service.instance.id", "portal.node",
        "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/opportunities/0d1f-id/addTags", "/opportunities/{id}/addTags"),
        ("/assessments/Backend", "/assessments/{id}"),
        ("/users?email=alder@candidates.example", "/users"),
        ("/Alder%20Ash", "/{id}"),
        ("/oauth/token", "/oauth/token"),
    ],
)
def test_an_endpoint_is_named_without_ids(path, endpoint):
    assert endpoint_of(path) == endpoint


def test_every_word_in_an_address_of_the_platforms_is_known():
    """A word that the clients write themselves is no id."""
    for module in (lever_client, codescreen_client):
        tree = ast.parse(inspect.getsource(module))
        literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        paths = [text for text in literals if isinstance(text, str) and re.fullmatch(r"(/[\w/]+)+", text)]
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        parts = [
            argument.value
            for call in calls
            if getattr(call.func, "id", "") == "path_of" or getattr(call.func, "attr", "") == "_change_tags"
            for argument in call.args
            if isinstance(argument, ast.Constant)
        ]
        words = {f"/{part}" for part in parts if isinstance(part, str)} | set(paths)
        assert words
        assert {endpoint_of(word) for word in words} == words
