"""From a connection to a ready client: tokens, the record of calls, the lease of the row."""

import json
import threading
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
import responses
from django.db import OperationalError
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone

from integrations.clients import call_hooks, provider, tokens
from integrations.clients.context import CallContext
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.lever.lookups import PipelineStage
from integrations.models import ApiCall, Effect, LeverConnection, Organization
from integrations.queue import worker
from integrations.workflow.email import connection_notices
from tests import factories

AUTH = "https://auth.lever.example"
API = "https://api.lever.example/v1"
INTERVAL, BURST = 1 / 9.9, 18
FRESH = {
    "access_token": "access-2",
    "refresh_token": "refresh-2",
    "expires_in": 3600,
    "scope": "offline_access",
}


@pytest.fixture
def lever_api(settings):
    """Both of Lever's servers, faked at HTTP."""
    settings.LEVER_AUTH_URL, settings.LEVER_API_URL = AUTH, API
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:
        yield api


@pytest.fixture
def grant(organization, super_admin):
    return factories.LeverConnectionFactory(organization=organization)


def let_token_expire_soon(grant):
    """Let the access token expire in thirty seconds."""
    LeverConnection.objects.filter(pk=grant.pk).update(
        access_expires_at=timezone.now() + timedelta(seconds=30)
    )


def requests_to(lever_api, path):
    """Return the requests that were made to a path."""
    return [call.request for call in lever_api.calls if call.request.url.split("?")[0].endswith(path)]


# which token


def test_a_valid_access_token_is_used(lever_api, grant):
    lever_api.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    assert [request.headers["Authorization"] for request in requests_to(lever_api, "/stages")] == [
        "Bearer access-1"
    ]
    assert not requests_to(lever_api, "/oauth/token")


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
    lever_api.get(f"{API}/stages", status=401, json={"code": "Unauthorized"})
    lever_api.get(f"{API}/stages", json={"data": [{"id": "1"}]})
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    assert provider.lever_client(grant.organization).stages() == [PipelineStage("1", "")]
    assert len(requests_to(lever_api, "/oauth/token")) == 1
    tokens = [request.headers["Authorization"] for request in requests_to(lever_api, "/stages")]
    assert tokens == ["Bearer access-1", "Bearer access-2"]


def test_a_401_needs_no_refresh_when_another_worker_has_replaced_the_token(lever_api, grant):
    client = provider.lever_client(grant.organization)

    def answer_and_replace_token(request):
        if request.headers["Authorization"] == "Bearer access-9":
            return 200, {}, json.dumps({"data": []})
        LeverConnection.objects.get(pk=grant.pk).rotate(FRESH | {"access_token": "access-9"})
        return 401, {}, "{}"

    lever_api.add_callback(responses.GET, f"{API}/stages", answer_and_replace_token)
    assert client.stages() == []
    assert not requests_to(lever_api, "/oauth/token")


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
            connection.accept_grant(
                FRESH | {"access_token": "access-9"}, super_admin, "lever-user", "lever-account"
            )
        return 401, {}, "{}"

    lever_api.add_callback(responses.GET, f"{API}/stages", refuse_and_reconnect)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.access_token, grant.state) == ("access-9", "connected")


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("oauth_error", ["invalid_grant", "reauthentication_required"])
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


@pytest.mark.parametrize("status", [500, 502, 503, 429, 403])
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


@pytest.mark.parametrize("expires_in", ["soon", None, -5, 10**12, 1.5, True, []])
def test_a_token_is_stored_when_its_lifetime_is_malformed(lever_api, grant, expires_in):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH | {"expires_in": expires_in})
    lever_api.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token) == ("access-2", "refresh-2")


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
    assert tokens.token_manager(grant).current() == "access-2"


def test_a_refresh_that_returns_after_a_reconnection_does_not_overwrite_it(lever_api, grant, super_admin):
    let_token_expire_soon(grant)

    def answer_after_reconnection(request):
        tokens = {"access_token": "from-consent", "refresh_token": "from-consent", "expires_in": 3600}
        LeverConnection.objects.get(pk=grant.pk).accept_grant(tokens, super_admin, "user", "account")
        return 200, {}, json.dumps(FRESH)

    lever_api.add_callback(responses.POST, f"{AUTH}/oauth/token", answer_after_reconnection)
    assert tokens.token_manager(grant).current() == "from-consent"


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_refresh_once(lever_api, grant):
    let_token_expire_soon(grant)
    spent: list[object] = []

    def refresh(request):
        time.sleep(0.5)
        if "refresh_token=refresh-1" not in request.body or spent:
            return 403, {}, json.dumps({"error": "invalid_grant"})
        spent.append(request)
        return 200, {}, json.dumps(FRESH)

    lever_api.add_callback(responses.POST, f"{AUTH}/oauth/token", refresh)
    access_tokens, failed = [], []
    barrier = threading.Barrier(4)

    def work():
        try:
            barrier.wait()
            access_tokens.append(tokens.token_manager(LeverConnection.objects.get(pk=grant.pk)).current())
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert access_tokens == ["access-2"] * 4
    assert len(requests_to(lever_api, "/oauth/token")) == 1
    grant.refresh_from_db()
    assert (grant.state, grant.refresh_token, grant.generation) == ("connected", "refresh-2", 1)


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_refresh_once_when_their_token_is_refused(lever_api, grant):
    def answer_stages(request):
        is_new = request.headers["Authorization"] == "Bearer access-2"
        return (200, {}, '{"data": []}') if is_new else (401, {}, "{}")

    def refresh(request):
        time.sleep(0.3)
        return 200, {}, json.dumps(FRESH)

    lever_api.add_callback(responses.GET, f"{API}/stages", answer_stages)
    lever_api.add_callback(responses.POST, f"{AUTH}/oauth/token", refresh)
    failed = []

    def work():
        try:
            provider.lever_client(grant.organization).stages()
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert len(requests_to(lever_api, "/oauth/token")) == 1


# whether there is a connection


@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_no_call_is_made_without_a_working_grant(lever_api, grant, state):
    LeverConnection.objects.update(state=state)
    with pytest.raises(NotConnected):
        provider.lever_client(Organization.objects.get())
    with pytest.raises(NotConnected):
        tokens.token_manager(grant).current()
    assert not lever_api.calls


def test_a_grant_that_is_disconnected_between_two_calls_is_not_used(lever_api, grant):
    lever_api.get(f"{API}/stages", json={"data": []})
    client = provider.lever_client(grant.organization)
    client.stages()
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    with pytest.raises(NotConnected):
        client.stages()
    assert len(lever_api.calls) == 1


def test_a_codescreen_client_needs_a_working_key(organization):
    with pytest.raises(NotConnected):
        provider.codescreen_client(organization)
    row = factories.CodeScreenConnectionFactory(organization=organization)
    provider.codescreen_client(organization)
    row.mark_refused("CodeScreen answered 401")
    with pytest.raises(NotConnected):
        provider.codescreen_client(organization)
    provider.codescreen_client(organization, allow_refused=True)


# the record of calls


PERSON = {
    "id": "opportunity-1",
    "name": "Candidate Alder",
    "headline": "Alder & Sons",
    "emails": ["alder@candidates.example"],
    "phones": [{"type": "mobile", "value": "+1 555 0100"}],
    "links": ["https://alder.example"],
    "location": "Alder Street",
    "contact": "contact-1",
    "stage": "stage-1",
    "tags": ["urgent"],
}


def test_a_call_is_recorded_without_secrets_and_personal_data(lever_api, grant):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    lever_api.get(f"{API}/opportunities/opportunity-1", json={"data": PERSON})
    lever_api.post(
        f"{API}/opportunities/opportunity-1/addLinks", status=400, json={"code": "Bad", "message": "no"}
    )
    lever_api.post(
        f"{API}/webhooks", json={"data": {"id": "w", "configuration": {"signatureToken": "signature-secret"}}}
    )
    effect = factories.EffectFactory(organization=grant.organization, attempts=3)
    client = provider.lever_client(
        grant.organization, CallContext(effect=effect, opportunity_id="opportunity-1")
    )
    client.opportunity("opportunity-1")
    with pytest.raises(PlatformError):
        client.add_links("opportunity-1", ["https://report.example/1"])
    client.create_webhook("https://portal.example", "candidateStageChange")
    rows = list(ApiCall.objects.order_by("pk"))
    assert [(row.method, row.path, row.status) for row in rows] == [
        ("POST", "/oauth/token", 200),
        ("GET", "/opportunities/opportunity-1", 200),
        ("POST", "/opportunities/opportunity-1/addLinks", 400),
        ("POST", "/webhooks", 200),
    ]
    assert {row.attempt for row in rows} == {3}
    assert {row.opportunity_id for row in rows} == {"opportunity-1"}
    assert len({row.correlation_id for row in rows}) == 1
    assert rows[2].error
    assert "stage-1" in rows[1].response_body
    everything = " ".join(
        row.path + row.request_body + row.response_body + row.error for row in rows
    ).casefold()
    for secret in (
        "access-1",
        "access-2",
        "refresh-1",
        "refresh-2",
        "sandbox-client-secret",
        "signature-secret",
    ):
        assert secret not in everything
    for personal in ("alder", "555", "@"):
        assert personal not in everything


def test_an_invitation_is_recorded_without_name_and_address(settings, organization):
    settings.CODESCREEN_API_URL = "https://codescreen.example/api"
    factories.CodeScreenConnectionFactory(organization=organization)
    with responses.RequestsMock() as codescreen_api:
        codescreen_api.post(
            "https://codescreen.example/api/assessments", json={"assessmentInstanceId": "instance-1"}
        )
        provider.codescreen_client(organization).send(
            "assessment-1", "Candidate Alder", "alder@candidates.example"
        )
    row = ApiCall.objects.get()
    assert "assessment-1" in row.request_body
    assert "instance-1" in row.response_body
    everything = row.request_body + row.response_body + row.path + row.error
    assert "Alder" not in everything
    assert "@" not in everything
    assert "codescreen-key" not in everything


def test_an_error_is_recorded_without_the_address_it_quotes(lever_api, grant):
    message = "alder@candidates.example is not a valid address"
    lever_api.get(
        f"{API}/opportunities/opportunity-1",
        status=404,
        json={"code": "ResourceNotFound", "message": message},
    )
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).opportunity("opportunity-1")
    row = ApiCall.objects.get()
    assert "@" not in row.error + row.response_body + str(raised.value)


def test_a_call_succeeds_when_it_cannot_be_recorded(lever_api, grant, monkeypatch):
    lever_api.get(f"{API}/stages", json={"data": [{"id": "1"}]})
    monkeypatch.setattr(ApiCall.objects, "create", _database_error)
    assert provider.lever_client(grant.organization).stages() == [PipelineStage("1", "")]


def _database_error(**_):
    raise OperationalError("the server closed the connection")


def test_reconnect_needed_is_notified_once_per_breakage(grant):
    for _ in range(2):
        grant.mark_needs_reconnect("Revoked.")
        connection_notices.notify_reconnect_needed(grant.organization)
    assert Effect.objects.filter(kind="send_email").count() == 1
    LeverConnection.objects.update(state="connected", generation=9)
    grant.refresh_from_db()
    grant.mark_needs_reconnect("Revoked again.")
    connection_notices.notify_reconnect_needed(grant.organization)
    assert Effect.objects.filter(kind="send_email").count() == 2


# the lease of the row that the calls are made for


@pytest.fixture
def held_effect(grant):
    """An effect whose lease has almost expired."""
    factories.EffectFactory(organization=grant.organization)
    effect = factories.claimed(Effect, "busy")
    Effect.objects.update(leased_until=timezone.now() + timedelta(seconds=5))
    return effect


def test_a_slow_step_renews_its_lease_between_calls(lever_api, grant, held_effect, monkeypatch):
    lever_api.get(f"{API}/stages", json={"data": []})
    lever = provider.lever_client(grant.organization, CallContext(effect=held_effect))
    lever.stages()
    assert Effect.objects.filter(leased_until__lt=timezone.now() + timedelta(seconds=10)).exists()
    monkeypatch.setattr(call_hooks, "RENEW_AFTER_SECONDS", 0.0)
    lever.stages()
    assert Effect.objects.filter(leased_until__gt=timezone.now() + timedelta(seconds=40)).exists()


def test_a_step_makes_no_more_calls_when_its_row_was_taken_over(lever_api, grant, held_effect, monkeypatch):
    monkeypatch.setattr(call_hooks, "RENEW_AFTER_SECONDS", 0.0)
    Effect.objects.update(lease_owner="replacement")
    with pytest.raises(CallDeferred):
        provider.lever_client(grant.organization, CallContext(effect=held_effect)).stages()
    assert not lever_api.calls


def test_a_client_made_late_in_a_step_renews_the_lease_before_its_first_call(
    lever_api, grant, held_effect, settings
):
    settings.CODESCREEN_API_URL = "https://codescreen.example/api"
    factories.CodeScreenConnectionFactory(organization=grant.organization)
    lever_api.get("https://codescreen.example/api/assessments", json=[])
    held_effect.leased_until = timezone.now() + timedelta(seconds=5)
    held_effect.fenced().update(leased_until=held_effect.leased_until)
    provider.codescreen_client(grant.organization, CallContext(effect=held_effect)).assessments()
    held_effect.refresh_from_db()
    assert held_effect.leased_until > timezone.now() + timedelta(seconds=40)


# the clocks


def test_clock_skew_is_measured_by_the_date_of_levers_answers(lever_api, organization, grant):
    behind = format_datetime(timezone.now() - timedelta(seconds=90), usegmt=True)
    lever_api.get(f"{API}/stages", json={"data": []}, headers={"Date": behind})
    provider.lever_client(organization).stages()
    grant.refresh_from_db()
    assert grant.clock_ahead == pytest.approx(90, abs=2)


def test_clock_skew_is_stored_rarely(grant, django_assert_num_queries):
    connection = grant
    connection.record_clock_skew(1.0)
    with django_assert_num_queries(0):
        connection.record_clock_skew(2.0)
        connection.record_clock_skew(40.0)  # perhaps another machine's clock: not stored at every call either
    connection.clock_compared_at = timezone.now() - timedelta(minutes=2)
    with django_assert_num_queries(0):
        connection.record_clock_skew(2.0)
    with django_assert_num_queries(1):
        connection.record_clock_skew(40.0)
    connection.refresh_from_db()
    assert connection.clock_ahead == 40.0
