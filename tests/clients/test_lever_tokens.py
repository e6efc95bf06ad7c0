"""What authorizes calls: tokens of a grant, refreshed by one worker at a time, or an API key."""

import json
import re
import time
from base64 import b64decode
from datetime import timedelta

import pytest
import responses
from django.db.models.functions import Now
from django.utils import timezone

from integrations.clients import lever_tokens, provider
from integrations.clients.models import ApiCall
from integrations.health.checks.connections import check_connection
from integrations.http.session import NotConnected, PlatformError
from integrations.lever.lookups import PipelineStage
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.notifications import notify
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import duties, worker
from tests.clients.conftest import API, AUTH, FRESH, let_token_expire_soon, requests_to
from tests.support import factories
from tests.support.at_once import run_at_once
from tests.support.mailbox import sent_emails


def test_an_access_token_that_expires_soon_is_refreshed_first(lever_api, grant):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    lever_api.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    [request] = requests_to(lever_api, "/oauth/token")
    form = dict(pair.split("=") for pair in request.body.split("&"))
    assert form == {
        "grant_type": "refresh_token",
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "refresh_token": "refresh-1",
    }
    assert [request.headers["Authorization"] for request in requests_to(lever_api, "/stages")] == [
        "Bearer access-2"
    ]
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token, grant.generation) == ("access-2", "refresh-2", 1)
    assert grant.refresh_leased_until is None
    assert grant.access_expires_at > timezone.now() + timedelta(minutes=59)


def test_a_401_leads_to_one_refresh_and_one_retry(lever_api, grant):
    unauthorized = {"code": "UnauthorizedError", "message": "The request requires authentication."}
    lever_api.get(f"{API}/stages", status=401, json=unauthorized)
    lever_api.get(f"{API}/stages", json={"data": [{"id": "1"}]})
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    assert provider.lever_client(grant.organization).stages() == [PipelineStage("1", "")]
    assert len(requests_to(lever_api, "/oauth/token")) == 1
    tokens = [request.headers["Authorization"] for request in requests_to(lever_api, "/stages")]
    assert tokens == ["Bearer access-1", "Bearer access-2"]


def test_a_person_must_reconnect_when_a_fresh_token_is_refused(lever_api, grant):
    lever_api.get(f"{API}/stages", status=401)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).stages()
    assert raised.value.status == 401
    assert (len(requests_to(lever_api, "/stages")), len(requests_to(lever_api, "/oauth/token"))) == (2, 1)
    grant.refresh_from_db()
    assert grant.state == "needs_reconnect"
    assert grant.state_reason
    with pytest.raises(NotConnected):
        provider.lever_client(grant.organization)


def test_a_refusal_of_an_old_token_does_not_mark_a_newer_grant(lever_api, grant, super_admin):
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)

    def refuse_and_reconnect(request):
        if request.headers["Authorization"] == "Bearer access-2":
            connection = LeverConnection.objects.get(pk=grant.pk)
            tokens = FRESH | {"access_token": "access-9"}
            connection.accept(LeverAccess(tokens, "lever-account", "lever-user"), super_admin)
        return 401, {}, "{}"

    lever_api.add_callback(responses.GET, f"{API}/stages", refuse_and_reconnect)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.access_token, grant.state) == ("access-9", "connected")


@pytest.mark.parametrize(
    ("status", "oauth_error"),
    [
        (400, "invalid_grant"),
        (401, "invalid_grant"),
        (403, "invalid_grant"),
        (400, "reauthentication_required"),
    ],
)
def test_a_dead_grant_needs_reconnecting_and_is_notified_once(lever_api, grant, status, oauth_error):
    let_token_expire_soon(grant)
    lever_api.post(
        f"{AUTH}/oauth/token",
        status=status,
        json={"error": oauth_error, "error_description": "Unknown token"},
    )
    effects = [
        factories.EffectFactory(organization=grant.organization, opportunity_id=f"opportunity-{number}")
        for number in range(3)
    ]
    worker.work()
    grant.refresh_from_db()
    assert grant.state == "needs_reconnect"
    for effect in effects:
        effect.refresh_from_db()
        assert (effect.state, effect.attempts, effect.attempt_started_at) == ("due", 0, None)
        assert effect.due_at > timezone.now()
    assert len(requests_to(lever_api, "/oauth/token")) == 1
    email = Effect.objects.get(kind="send_email")
    assert "reconnected" in email.payload["subject"]
    Effect.objects.filter(state="due").update(due_at=Now())
    worker.work()
    assert Effect.objects.filter(kind="send_email").count() == 1
    assert "refresh-1" not in str(list(ApiCall.objects.values()))


@pytest.mark.parametrize("status", [503, 429, 403])
def test_a_refresh_is_retried_later_when_the_token_endpoint_fails(lever_api, grant, status):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", status=status, json={"error": "server_error"})
    effect = factories.EffectFactory(organization=grant.organization)
    worker.work()
    grant.refresh_from_db()
    assert (grant.state, grant.refresh_leased_until, grant.refresh_token) == ("connected", None, "refresh-1")
    effect.refresh_from_db()
    assert effect.state == "due"
    lever_api.reset()
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    lever_api.post(f"{API}/opportunities/{effect.opportunity_id}/notes", json={"data": {"id": "note-1"}})
    Effect.objects.update(due_at=Now())
    worker.work()
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.parametrize("answer", [[], {}, "text", {"access_token": None}, {"access_token": 5}])
def test_a_token_answer_without_a_token_changes_nothing(lever_api, grant, answer):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=answer)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.state, grant.access_token, grant.refresh_leased_until) == ("connected", "access-1", None)


@pytest.mark.parametrize(
    "change",
    [
        {"expires_in": "soon"},
        {"expires_in": None},
        {"expires_in": -5},
        {"expires_in": 10**12},
        {"expires_in": []},
        {"refresh_token": 5},
        {"refresh_token": None},
        {"scope": ["offline_access"]},
    ],
    ids=str,
)
def test_a_token_is_stored_when_the_rest_of_the_answer_is_malformed(lever_api, grant, change):
    let_token_expire_soon(grant)
    scopes = grant.scopes
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH | {"scope": scopes} | change)
    assert lever_tokens.token_source(grant).current() == "Bearer access-2"
    grant.refresh_from_db()
    assert grant.access_token == "access-2"
    assert grant.refresh_token == ("refresh-1" if "refresh_token" in change else "refresh-2")
    assert grant.scopes == scopes


def test_a_person_must_reconnect_on_401_without_a_refresh_token(lever_api, grant):
    LeverConnection.objects.update(refresh_token="")
    lever_api.get(f"{API}/stages", status=401)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert grant.state == "needs_reconnect"
    assert "offline_access" in grant.state_reason


def test_a_refresh_lease_expires_when_its_worker_died(lever_api, grant):
    let_token_expire_soon(grant)
    LeverConnection.objects.update(refresh_leased_until=timezone.now() - timedelta(seconds=1))
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    assert lever_tokens.token_source(grant).current() == "Bearer access-2"


def test_a_refresh_token_that_another_worker_has_just_used_up_is_not_sent_again(
    lever_api, grant, monkeypatch
):
    lease_refresh = LeverConnection.lease_refresh

    def lease_after_another_worker(connection):
        if connection.generation == 0:
            LeverConnection.objects.get(pk=connection.pk).rotate(FRESH | {"access_token": "access-9"})
        return lease_refresh(connection)

    monkeypatch.setattr(LeverConnection, "lease_refresh", lease_after_another_worker)
    monkeypatch.setattr(lever_tokens, "RECHECK_SECONDS", 0.0)
    assert lever_tokens.token_source(grant).renew("Bearer access-1") == "Bearer access-9"
    assert not requests_to(lever_api, "/oauth/token")


@pytest.mark.parametrize(("token", "state"), [("from-consent", "connected"), ("", "revoked")])
def test_a_refresh_that_returns_after_a_new_consent_or_a_disconnection_overwrites_nothing(
    lever_api, grant, super_admin, token, state
):
    let_token_expire_soon(grant)

    def answer_late(request):
        connection = LeverConnection.objects.get(pk=grant.pk)
        if token:
            tokens = {"access_token": token, "refresh_token": token, "expires_in": 3600}
            connection.accept(LeverAccess(tokens, "account", "user"), super_admin)
        else:
            connection.disconnect("Disconnected by owner.")
        return 200, {}, json.dumps(FRESH)

    lever_api.add_callback(responses.POST, f"{AUTH}/oauth/token", answer_late)
    assert lever_tokens.token_source(grant).current() == (f"Bearer {token}" if token else "")
    grant.refresh_from_db()
    assert (grant.state, grant.access_token, grant.refresh_token) == (state, token, token)


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_refresh_once(lever_api, grant):
    let_token_expire_soon(grant)
    spent: list[object] = []

    def refresh(request):
        time.sleep(0.2)
        if "refresh_token=refresh-1" not in request.body or spent:
            return 403, {}, json.dumps({"error": "invalid_grant"})
        spent.append(request)
        return 200, {}, json.dumps(FRESH)

    lever_api.add_callback(responses.POST, f"{AUTH}/oauth/token", refresh)
    access_tokens = []

    def work():
        access_tokens.append(lever_tokens.token_source(LeverConnection.objects.get(pk=grant.pk)).current())

    failed = run_at_once(work)
    assert failed == []
    assert access_tokens == ["Bearer access-2"] * 4
    assert len(requests_to(lever_api, "/oauth/token")) == 1
    grant.refresh_from_db()
    assert (grant.state, grant.refresh_token, grant.generation) == ("connected", "refresh-2", 1)


def test_reconnect_needed_is_notified_once_per_breakage(grant):
    for _ in range(2):
        grant.mark_needs_reconnect("Revoked.")
        notify.notify_reconnect_needed(grant.organization)
    assert Effect.objects.filter(kind="send_email").count() == 1
    LeverConnection.objects.update(state="connected", generation=9)
    assert sent_emails() == []  # it works again
    grant.refresh_from_db()
    grant.mark_needs_reconnect("Revoked again.")
    notify.notify_reconnect_needed(grant.organization)
    assert Effect.objects.filter(kind="send_email").count() == 2


def test_a_key_is_used_in_the_accounts_own_region(lever_api, by_key, settings):
    settings.LEVER_EU_API_URL = "https://api.eu.lever.example/v1"
    LeverConnection.objects.update(region="eu")
    lever_api.get(f"{settings.LEVER_EU_API_URL}/stages", json={"data": []})
    assert provider.lever_client(Organization.objects.get()).stages() == []


def test_a_grant_is_refreshed_in_the_accounts_own_region(lever_api, grant, settings):
    settings.LEVER_EU_AUTH_URL = "https://auth.eu.lever.example"
    LeverConnection.objects.update(region="eu")
    let_token_expire_soon(grant)
    lever_api.post(f"{settings.LEVER_EU_AUTH_URL}/oauth/token", json=FRESH)
    assert lever_tokens.token_source(grant).current() == "Bearer access-2"


def test_a_refused_key_is_disconnected_and_told_once(lever_api, by_key):
    lever_api.add(responses.POST, re.compile(".*/notes"), status=401, json={"code": "Unauthorized"})
    effects = [
        factories.EffectFactory(organization=by_key.organization, opportunity_id=f"opportunity-{number}")
        for number in range(2)
    ]
    worker.work()
    by_key.refresh_from_db()
    assert (by_key.state, by_key.state_reason) == ("needs_reconnect", lever_tokens.KEY_REFUSED)
    for effect in effects:
        effect.refresh_from_db()
        assert (effect.state, effect.attempts) == ("due", 0)
    assert Effect.objects.filter(kind="send_email").count() == 1
    assert "key-1" not in str(list(ApiCall.objects.values()))


def test_a_key_that_was_replaced_during_a_call_is_used_at_once(lever_api, by_key, super_admin):
    client = provider.lever_client(by_key.organization)

    def refuse_the_first(request):
        if b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"key-2:":
            return 200, {}, json.dumps({"data": []})
        access = LeverAccess(api_key="key-2", user_id="lever-user")
        LeverConnection.objects.get(pk=by_key.pk).accept(access, super_admin)
        return 401, {}, "{}"

    lever_api.add_callback(responses.GET, f"{API}/stages", refuse_the_first)
    assert client.stages() == []
    by_key.refresh_from_db()
    assert by_key.state == "connected"


@pytest.mark.parametrize("first", ["by_key", "grant"])
def test_a_step_that_began_with_the_other_kind_of_connection_begins_again(
    request, lever_api, first, super_admin, monkeypatch
):
    connection = request.getfixturevalue(first)
    client = provider.lever_client(connection.organization)
    other = LeverAccess(FRESH) if first == "by_key" else LeverAccess(api_key="key-2", user_id="lever-user")
    LeverConnection.objects.get(pk=connection.pk).accept(other, super_admin)
    monkeypatch.setattr(lever_tokens, "READ_AGAIN_AFTER_SECONDS", 0.0)
    with pytest.raises(NotConnected):
        client.stages()
    assert not lever_api.calls
    connection.refresh_from_db()
    assert connection.state == "connected"


def test_the_end_of_a_grant_is_foretold_unless_it_is_connected_again_before(grant):
    LeverConnection.objects.update(connected_at=timezone.now() - timedelta(days=360))
    duties.warn_expiry(Organization.objects.get())
    assert Effect.objects.filter(email_topic="connection_ends").count() == 1
    LeverConnection.objects.update(connected_at=timezone.now())
    assert sent_emails() == []


def test_a_key_is_never_refreshed_and_no_end_of_it_is_foretold(lever_api, by_key):
    LeverConnection.objects.update(
        refreshed_at=timezone.now() - timedelta(days=400), connected_at=timezone.now() - timedelta(days=400)
    )
    organization = Organization.objects.get()
    duties.refresh_grant(organization)
    duties.warn_expiry(organization)
    assert not lever_api.calls
    assert not Effect.objects.exists()
    assert list(check_connection(organization)) == []
