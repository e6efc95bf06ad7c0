"""Alerts over the wire: signed, retried, stopped, and without their secrets in any record."""

import logging
import socket
import time

import pytest

from integrations.clients.models import ApiCall
from integrations.codescreen.payloads import BadSignature, verify
from integrations.health.models import Incident
from integrations.http import public_web
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.models.preferences import AlertAddress
from integrations.notifications.payload import IncidentOngoing
from integrations.outbox import outcome
from integrations.outbox.models import Effect
from integrations.queue import worker
from tests.notifications.outgoing import LONG_AGO, notify
from tests.support import factories

SECRET = factories.WEBHOOK_SECRET


def work() -> Effect:
    """Perform the alerts that wait; return the last one."""
    Effect.objects.filter(state="due").update(due_at=LONG_AGO)
    worker.work()
    return Effect.objects.filter(kind="send_alert").latest("pk")


@pytest.fixture
def signed(organization, receiver):
    return factories.alert_address(
        organization, kind="signed", url=receiver.url, host="127.0.0.1", secret=SECRET
    )


@pytest.fixture
def room(organization, receiver):
    return factories.alert_address(organization, url=receiver.url, host="127.0.0.1")


def begin(organization, key="7"):
    notify(organization, EmailTopic.INCIDENT_BEGUN, key, subject="Lever doesn't answer", lines=["Wait."])


def test_the_signature_of_an_alert_verifies(organization, signed, receiver):
    begin(organization)
    effect = work()
    assert effect.state == "done"
    [(_, headers, body)] = receiver.requests
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["content-type"] == "application/json"
    assert verify(lower, body, SECRET, time.time()) == f"msg_{organization.pk}_{effect.pk}"
    with pytest.raises(BadSignature):
        verify(lower, body + b" ", SECRET, time.time())
    assert receiver.bodies[0]["type"] == "incident"
    signed.refresh_from_db()
    assert signed.last_success_at
    assert not signed.last_failure_at


def test_a_chat_room_gets_no_signature(organization, room, receiver):
    begin(organization)
    work()
    [(path, headers, _)] = receiver.requests
    assert path == "/services/T-SECRET-path"
    assert not [name for name in headers if name.lower().startswith("webhook-")]
    assert receiver.bodies[0]["text"].startswith("Lever doesn't answer.\nWait.\n<http")


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_failure_that_may_pass_is_retried_with_the_same_id(organization, signed, receiver, status):
    receiver.answers = [(status, {}), (200, {})]
    begin(organization)
    effect = work()
    assert (effect.state, effect.last_error) == ("due", f"127.0.0.1 answered {status}")
    signed.refresh_from_db()
    assert signed.last_failure == f"127.0.0.1 answered {status}"
    assert signed.stopped_at is None
    assert work().state == "done"
    ids = {dict(headers).get("webhook-id") for _, headers, _ in receiver.requests}
    assert ids == {f"msg_{organization.pk}_{effect.pk}"}
    assert len(receiver.requests) == 2


def test_a_receiver_that_asks_to_wait_is_given_the_time(organization, room, receiver):
    receiver.answers = [(429, {"Retry-After": "1800"})]
    begin(organization)
    effect = work()
    assert effect.due_at is not None
    assert (effect.due_at - factories.a_moment_ago()).total_seconds() > 1700


def test_a_timeout_is_retried(organization, room, receiver, monkeypatch):
    monkeypatch.setattr(public_web, "TOTAL_SECONDS", 0.2)
    receiver.delay = 0.6
    begin(organization)
    effect = work()
    assert effect.state == "due"
    assert "127.0.0.1 did not answer" in effect.last_error


@pytest.mark.parametrize("status", [410, 404, 400, 401, 403, 302])
def test_a_refusal_stops_the_address(organization, room, receiver, status):
    receiver.answers = [(status, {"Location": receiver.url})]
    begin(organization)
    effect = work()
    assert (effect.state, effect.last_error) == ("failed", f"127.0.0.1 answered {status}")
    assert len(receiver.requests) == 1, "no redirect is followed"
    room.refresh_from_db()
    assert room.stopped_at
    begin(organization, "8")
    assert Effect.objects.filter(kind="send_alert").count() == 1


def test_what_already_waited_for_a_stopped_address_fails_without_a_call(organization, room, receiver):
    begin(organization)
    AlertAddress.objects.update(stopped_at=factories.a_moment_ago())
    effect = work()
    assert effect.state == "failed"
    assert "test" in effect.last_error
    assert not receiver.requests


def test_an_alert_is_given_up_in_the_end_and_stops_its_address(organization, room, receiver):
    receiver.answers = [(500, {})]
    begin(organization)
    long_ago = factories.a_moment_ago() - outcome.RETRY_FOR
    Effect.objects.update(created_at=long_ago)
    assert work().state == "failed"
    room.refresh_from_db()
    assert room.stopped_at


def test_an_alert_to_an_address_that_was_removed_is_cancelled(organization, room, receiver):
    begin(organization)
    AlertAddress.objects.all().delete()
    assert work().state == "cancelled"
    assert not receiver.requests


def test_the_record_of_calls_shows_the_host_and_no_secret(organization, signed, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(500, {}), (200, {})]
    begin(organization)
    work()
    work()
    calls = ApiCall.objects.order_by("pk")
    assert [(call.platform, call.path, call.status) for call in calls] == [
        ("alert", "//127.0.0.1/", 500),
        ("alert", "//127.0.0.1/", 200),
    ]
    rows = [*ApiCall.objects.values(), *Effect.objects.values()]
    assert "SECRET" not in str(rows)
    assert SECRET not in caplog.text
    assert "T-SECRET-path" not in caplog.text
    assert SECRET not in str(rows)


def test_the_record_of_calls_does_not_name_the_candidate(organization, signed, receiver):
    invitation = factories.InvitationFactory.create(organization=organization, candidate_name="Alder Birch")
    notify(
        organization,
        EmailTopic.RESULT,
        "1",
        variables={"result": "Passed 82", "outcome": "Passed", "score": "82"},
        invitation=invitation,
    )
    work()
    [body] = receiver.bodies
    assert "Alder" in body["data"]["candidate"]
    [call] = ApiCall.objects.filter(platform="alert")
    assert "Passed" in call.request_body
    assert "Alder" not in call.request_body


def test_an_address_that_leads_into_a_private_network_later_is_refused_at_sending(organization, monkeypatch):
    address = factories.alert_address(
        organization, url="https://rebinding.example/x", host="rebinding.example"
    )
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **options: (
            private if host == "rebinding.example" else real(host, *rest, **options)
        ),
    )
    begin(organization)
    effect = work()
    assert effect.state == "failed"
    assert "private network" in effect.last_error
    address.refresh_from_db()
    assert address.stopped_at


def test_a_paused_portal_sends_no_alert(organization, room, receiver):
    organization.paused = True
    organization.save()
    begin(organization)
    assert work().state == "due"
    assert not receiver.requests


def test_a_problem_that_is_over_is_not_told(organization, room, receiver):
    incident = Incident.objects.create(
        organization=organization, code="platform_down", ended_at=factories.a_moment_ago()
    )
    notify(organization, EmailTopic.INCIDENT_BEGUN, "9", holds_while=IncidentOngoing(incident.pk))
    assert work().state == "cancelled"
    assert not receiver.requests
