"""Connection → ready client: one refresh for all workers, a record of every call, and everybody's turn."""

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
def wire(settings):
    """Lever's two servers, faked on the wire."""
    settings.LEVER_AUTH_URL, settings.LEVER_API_URL = AUTH, API
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


@pytest.fixture
def grant(organization, super_admin):
    return factories.LeverConnectionFactory(organization=organization)


def ends_soon(grant):
    """Let the access token be about to end."""
    LeverConnection.objects.filter(pk=grant.pk).update(
        access_expires_at=timezone.now() + timedelta(seconds=30)
    )


def asked(wire, path):
    """Return the requests that were made to a path."""
    return [call.request for call in wire.calls if call.request.url.split("?")[0].endswith(path)]


# which token


def test_a_token_that_lasts_is_used(wire, grant):
    wire.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    assert [request.headers["Authorization"] for request in asked(wire, "/stages")] == ["Bearer access-1"]
    assert not asked(wire, "/oauth/token")


def test_a_token_that_ends_soon_is_traded_before_it_is_used(wire, grant):
    ends_soon(grant)
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    wire.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    [trade] = asked(wire, "/oauth/token")
    form = dict(pair.split("=") for pair in trade.body.split("&"))
    assert form == {
        "grant_type": "refresh_token",
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "refresh_token": "refresh-1",
    }
    assert [request.headers["Authorization"] for request in asked(wire, "/stages")] == ["Bearer access-2"]
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token, grant.generation) == ("access-2", "refresh-2", 1)
    assert grant.refresh_leased_until is None
    assert grant.access_expires_at > timezone.now() + timedelta(minutes=59)


def test_401_is_one_refresh_and_one_retry(wire, grant):
    wire.get(f"{API}/stages", status=401, json={"code": "Unauthorized"})
    wire.get(f"{API}/stages", json={"data": [{"id": "1"}]})
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    assert provider.lever_client(grant.organization).stages() == [PipelineStage("1", "")]
    assert len(asked(wire, "/oauth/token")) == 1
    tokens = [request.headers["Authorization"] for request in asked(wire, "/stages")]
    assert tokens == ["Bearer access-1", "Bearer access-2"]


def test_401_with_a_token_that_another_worker_has_replaced_needs_no_refresh(wire, grant):
    client = provider.lever_client(grant.organization)

    def replaced(request):
        if request.headers["Authorization"] == "Bearer access-9":
            return 200, {}, json.dumps({"data": []})
        LeverConnection.objects.get(pk=grant.pk).rotate(FRESH | {"access_token": "access-9"})
        return 401, {}, "{}"

    wire.add_callback(responses.GET, f"{API}/stages", replaced)
    assert client.stages() == []
    assert not asked(wire, "/oauth/token")


def test_still_401_needs_a_person(wire, grant):
    wire.get(f"{API}/stages", status=401)
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).stages()
    assert raised.value.status == 401
    assert (len(asked(wire, "/stages")), len(asked(wire, "/oauth/token"))) == (2, 1)
    grant.refresh_from_db()
    assert grant.state == "needs_reconnect"
    assert grant.state_reason
    with pytest.raises(NotConnected):
        provider.lever_client(grant.organization)


def test_a_refused_token_of_before_says_nothing_about_a_grant_made_meanwhile(wire, grant, super_admin):
    wire.post(f"{AUTH}/oauth/token", json=FRESH)

    def refuse(request):
        if request.headers["Authorization"] == "Bearer access-2":
            connection = LeverConnection.objects.get(pk=grant.pk)
            connection.accept_grant(
                FRESH | {"access_token": "access-9"}, super_admin, "lever-user", "lever-account"
            )
        return 401, {}, "{}"

    wire.add_callback(responses.GET, f"{API}/stages", refuse)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.access_token, grant.state) == ("access-9", "connected")


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("word", ["invalid_grant", "reauthentication_required"])
def test_a_dead_grant_needs_a_person_and_is_told_once(wire, grant, status, word):
    ends_soon(grant)
    wire.post(
        f"{AUTH}/oauth/token", status=status, json={"error": word, "error_description": "Unknown token"}
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
    assert len(asked(wire, "/oauth/token")) == 1
    told = Effect.objects.get(kind="send_email")
    assert "reconnected" in told.payload["subject"]
    Effect.objects.filter(state="due").update(due_at=Now())
    worker.work()
    assert Effect.objects.filter(kind="send_email").count() == 1
    assert "refresh-1" not in str(list(ApiCall.objects.values()))


@pytest.mark.parametrize("status", [500, 502, 503, 429, 403])
def test_a_token_endpoint_that_fails_is_tried_again_later(wire, grant, status):
    ends_soon(grant)
    wire.post(f"{AUTH}/oauth/token", status=status, json={"error": "server_error"})
    effect = factories.EffectFactory(organization=grant.organization)
    worker.work()
    grant.refresh_from_db()
    assert (grant.state, grant.refresh_leased_until, grant.refresh_token) == ("connected", None, "refresh-1")
    effect.refresh_from_db()
    assert effect.state == "due"
    wire.reset()
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    wire.post(f"{API}/opportunities/{effect.opportunity_id}/notes", json={"data": {"id": "note-1"}})
    Effect.objects.update(due_at=Now())
    worker.work()
    effect.refresh_from_db()
    assert effect.state == "done"


@pytest.mark.parametrize("answer", [[], {}, "text", {"access_token": None}, {"access_token": 5}])
def test_a_token_answer_without_a_token_changes_nothing(wire, grant, answer):
    ends_soon(grant)
    wire.post(f"{AUTH}/oauth/token", json=answer)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.state, grant.access_token, grant.refresh_leased_until) == ("connected", "access-1", None)


@pytest.mark.parametrize("expires_in", ["soon", None, -5, 10**12, 1.5, True, []])
def test_a_strange_lifetime_of_a_token_is_survived(wire, grant, expires_in):
    ends_soon(grant)
    wire.post(f"{AUTH}/oauth/token", json=FRESH | {"expires_in": expires_in})
    wire.get(f"{API}/stages", json={"data": []})
    provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token) == ("access-2", "refresh-2")


def test_without_a_refresh_token_401_needs_a_person(wire, grant):
    LeverConnection.objects.update(refresh_token="")
    wire.get(f"{API}/stages", status=401)
    with pytest.raises(PlatformError):
        provider.lever_client(grant.organization).stages()
    grant.refresh_from_db()
    assert grant.state == "needs_reconnect"
    assert "offline_access" in grant.state_reason


def test_a_refresh_lease_of_a_worker_that_died_ends_by_itself(wire, grant):
    ends_soon(grant)
    LeverConnection.objects.update(refresh_leased_until=timezone.now() - timedelta(seconds=1))
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    assert tokens.token_manager(grant).current() == "access-2"


def test_a_refresh_that_returns_after_a_reconnection_does_not_overwrite_it(wire, grant, super_admin):
    ends_soon(grant)

    def slow(request):
        tokens = {"access_token": "from-consent", "refresh_token": "from-consent", "expires_in": 3600}
        LeverConnection.objects.get(pk=grant.pk).accept_grant(tokens, super_admin, "user", "account")
        return 200, {}, json.dumps(FRESH)

    wire.add_callback(responses.POST, f"{AUTH}/oauth/token", slow)
    assert tokens.token_manager(grant).current() == "from-consent"


@pytest.mark.django_db(transaction=True)
def test_two_workers_refresh_once(wire, grant):
    ends_soon(grant)
    spent: list[object] = []

    def trade(request):
        time.sleep(0.5)
        if "refresh_token=refresh-1" not in request.body or spent:
            return 403, {}, json.dumps({"error": "invalid_grant"})
        spent.append(request)
        return 200, {}, json.dumps(FRESH)

    wire.add_callback(responses.POST, f"{AUTH}/oauth/token", trade)
    found, failed = [], []
    barrier = threading.Barrier(4)

    def work():
        try:
            barrier.wait()
            found.append(tokens.token_manager(LeverConnection.objects.get(pk=grant.pk)).current())
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
    assert found == ["access-2"] * 4
    assert len(asked(wire, "/oauth/token")) == 1
    grant.refresh_from_db()
    assert (grant.state, grant.refresh_token, grant.generation) == ("connected", "refresh-2", 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_whose_token_was_refused_refresh_once(wire, grant):
    def stages(request):
        is_new = request.headers["Authorization"] == "Bearer access-2"
        return (200, {}, '{"data": []}') if is_new else (401, {}, "{}")

    def trade(request):
        time.sleep(0.3)
        return 200, {}, json.dumps(FRESH)

    wire.add_callback(responses.GET, f"{API}/stages", stages)
    wire.add_callback(responses.POST, f"{AUTH}/oauth/token", trade)
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
    assert len(asked(wire, "/oauth/token")) == 1


# whether there is a connection


@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_without_a_working_grant_nothing_is_called(wire, grant, state):
    LeverConnection.objects.update(state=state)
    with pytest.raises(NotConnected):
        provider.lever_client(Organization.objects.get())
    with pytest.raises(NotConnected):
        tokens.token_manager(grant).current()
    assert not wire.calls


def test_a_grant_that_is_disconnected_between_two_calls_is_not_used(wire, grant):
    wire.get(f"{API}/stages", json={"data": []})
    client = provider.lever_client(grant.organization)
    client.stages()
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    with pytest.raises(NotConnected):
        client.stages()
    assert len(wire.calls) == 1


def test_codescreen_needs_a_key_that_is_not_refused(organization):
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


def test_a_call_is_recorded_without_secrets_and_personal_data(wire, grant):
    ends_soon(grant)
    wire.post(f"{AUTH}/oauth/token", json=FRESH)
    wire.get(f"{API}/opportunities/opportunity-1", json={"data": PERSON})
    wire.post(
        f"{API}/opportunities/opportunity-1/addLinks", status=400, json={"code": "Bad", "message": "no"}
    )
    wire.post(
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
    with responses.RequestsMock() as wire:
        wire.post("https://codescreen.example/api/assessments", json={"assessmentInstanceId": "instance-1"})
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


def test_an_error_that_quotes_the_person_is_not_kept(wire, grant):
    message = "alder@candidates.example is not a valid address"
    wire.get(
        f"{API}/opportunities/opportunity-1",
        status=404,
        json={"code": "ResourceNotFound", "message": message},
    )
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).opportunity("opportunity-1")
    row = ApiCall.objects.get()
    assert "@" not in row.error + row.response_body + str(raised.value)


def test_a_call_that_cannot_be_recorded_happened_all_the_same(wire, grant, monkeypatch):
    wire.get(f"{API}/stages", json={"data": [{"id": "1"}]})
    monkeypatch.setattr(ApiCall.objects, "create", _database_error)
    assert provider.lever_client(grant.organization).stages() == [PipelineStage("1", "")]


def _database_error(**_):
    raise OperationalError("the server closed the connection")


def test_telling_that_lever_needs_a_person_is_once_per_breakage(grant):
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
def held(grant):
    """An effect that a worker has been busy with for a while."""
    factories.EffectFactory(organization=grant.organization)
    effect = factories.claimed(Effect, "busy")
    Effect.objects.update(leased_until=timezone.now() + timedelta(seconds=5))
    return effect


def test_slow_work_renews_its_lease_between_calls(wire, grant, held, monkeypatch):
    wire.get(f"{API}/stages", json={"data": []})
    lever = provider.lever_client(grant.organization, CallContext(effect=held))
    lever.stages()
    assert Effect.objects.filter(leased_until__lt=timezone.now() + timedelta(seconds=10)).exists()
    monkeypatch.setattr(call_hooks, "RENEW_AFTER_SECONDS", 0.0)
    lever.stages()
    assert Effect.objects.filter(leased_until__gt=timezone.now() + timedelta(seconds=40)).exists()


def test_work_that_somebody_else_has_taken_over_makes_no_more_calls(wire, grant, held, monkeypatch):
    monkeypatch.setattr(call_hooks, "RENEW_AFTER_SECONDS", 0.0)
    Effect.objects.update(lease_owner="replacement")
    with pytest.raises(CallDeferred):
        provider.lever_client(grant.organization, CallContext(effect=held)).stages()
    assert not wire.calls


def test_a_client_made_late_in_a_step_renews_the_lease_before_its_first_call(wire, grant, held, settings):
    settings.CODESCREEN_API_URL = "https://codescreen.example/api"
    factories.CodeScreenConnectionFactory(organization=grant.organization)
    wire.get("https://codescreen.example/api/assessments", json=[])
    held.leased_until = timezone.now() + timedelta(seconds=5)
    held.fenced().update(leased_until=held.leased_until)
    provider.codescreen_client(grant.organization, CallContext(effect=held)).assessments()
    held.refresh_from_db()
    assert held.leased_until > timezone.now() + timedelta(seconds=40)


# the clocks


def test_clocks_are_compared_by_the_date_of_levers_answers(wire, organization, grant):
    behind = format_datetime(timezone.now() - timedelta(seconds=90), usegmt=True)
    wire.get(f"{API}/stages", json={"data": []}, headers={"Date": behind})
    provider.lever_client(organization).stages()
    grant.refresh_from_db()
    assert grant.clock_ahead == pytest.approx(90, abs=2)


def test_what_is_known_of_the_clock_is_written_rarely(grant, django_assert_num_queries):
    connection = grant
    connection.record_clock_skew(1.0)
    with django_assert_num_queries(0):
        connection.record_clock_skew(2.0)
        connection.record_clock_skew(40.0)  # another machine's clock, perhaps: not at every call either
    connection.clock_compared_at = timezone.now() - timedelta(minutes=2)
    with django_assert_num_queries(0):
        connection.record_clock_skew(2.0)
    with django_assert_num_queries(1):
        connection.record_clock_skew(40.0)
    connection.refresh_from_db()
    assert connection.clock_ahead == 40.0
