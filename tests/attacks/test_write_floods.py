"""Requests that cost their sender nothing leave few rows: passkeys, entries in the log, forgotten passwords."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from integrations.accounts.models.attempts import AttemptLimit, Limit, PasswordLinkRequest
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.notifications import link_emails
from integrations.notifications.models.email_kind import EmailKind
from integrations.outbox.models.effect import Effect
from integrations.pages import views
from integrations.single_sign_on import acts as single_sign_on
from portal.accounts.limits import PASSKEY_QUESTIONS, PROVIDER_QUESTIONS, QUESTION_SECONDS
from tests.support import factories
from tests.support.attempt_limits import let_pass
from tests.support.identity_provider import Provider, make_provider
from tests.support.second_factors import sign_in


@pytest.mark.parametrize(
    ("action", "address", "form"),
    [
        (
            AuditAction.CHOOSE_EMAILS,
            "/account/e-mails/",
            dict.fromkeys([kind.value for kind in EmailKind], "on"),
        ),
        (AuditAction.EXPORT_LIST, "/candidates/export/", None),
        (AuditAction.LOOK_AT_DATA, "/data/opportunity-1/", None),
    ],
)
def test_the_log_gets_few_entries_of_one_person_who_clicks_without_end(
    super_admin_client, organization, monkeypatch, action, address, form
):
    monkeypatch.setattr(views, "ACTS", (Limit(4, 60.0),))
    factories.CandidateFactory.create(organization=organization, opportunity_id="opportunity-1")
    for number in range(6):
        if form is None:
            answer = super_admin_client.get(address)
        else:
            answer = super_admin_client.post(address, form if number % 2 else {})
        answer.getvalue()
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert AuditEntry.objects.filter(action=action).count() <= 4


def test_the_log_gets_few_entries_of_who_signs_in_and_out_without_end(super_admin, monkeypatch):
    monkeypatch.setattr(views, "ACTS", (Limit(4, 60.0),))
    client = Client()
    for _ in range(6):
        answer = sign_in(client, super_admin)
        client.post("/accounts/logout/")
    assert (answer.status_code, "_auth_user_id" in client.session) == (429, False)
    assert AuditEntry.objects.filter(action=AuditAction.SIGN_IN).count() == 4
    assert AuditEntry.objects.filter(action=AuditAction.SIGN_OUT).count() == 4


def assert_stores_few_sessions(ask: Callable[[Client], Any], limit: Limit) -> Client:
    """Ask four times, as if others had asked often; return the first who asked."""
    clients = [Client(headers={"Accept": "application/json"}) for _ in range(4)]
    answers = [ask(clients[0]).status_code]
    let_pass(-(limit.burst - 2) * limit.seconds)  # as if all but one had been put by others
    answers += [ask(client).status_code for client in clients[1:]]
    assert answers == [200, 200, 429, 429]
    assert Session.objects.count() == 2
    longest = max(Session.objects.values_list("expire_date", flat=True))
    assert (longest - timezone.now()).total_seconds() <= QUESTION_SECONDS
    return clients[0]


def test_questions_for_a_passkey_store_few_sessions_and_not_for_long(super_admin):
    [limit] = PASSKEY_QUESTIONS
    client = assert_stores_few_sessions(lambda client: client.get("/accounts/2fa/webauthn/login/"), limit)
    sign_in(client, super_admin)
    assert client.session.get_expiry_age() > 86400


def test_sign_ins_begun_at_a_provider_store_few_sessions_and_not_for_long(wire, super_admin, organization):
    make_provider("acme", organization)
    provider, [limit] = Provider(wire), PROVIDER_QUESTIONS
    assert_stores_few_sessions(lambda client: client.post("/accounts/oidc/acme/login/"), limit)
    AttemptLimit.objects.all().delete()
    client = Client()
    provider.sign_in(client, super_admin.email)
    assert client.session.get_expiry_age() > 86400


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_stranger_whom_a_provider_knows_leaves_few_entries(wire, organization, is_bound, monkeypatch):
    monkeypatch.setattr(single_sign_on, "REFUSALS", (Limit(4, 600.0),))
    make_provider("acme", organization if is_bound else None)
    provider = Provider(wire)
    for _ in range(6):
        assert provider.sign_in(Client(), "stranger@elsewhere.example").status_code == 403
    assert AuditEntry.objects.filter(action=AuditAction.REFUSE_SIGN_IN).count() == 4


# forgotten passwords: few requests of a network are stored, few e-mails are sent


FORGOTTEN = "/accounts/password/reset/"


def ask(address: str, network: str) -> int:
    return Client().post(FORGOTTEN, {"email": address}, REMOTE_ADDR=network).status_code


def test_a_network_has_few_requests_stored_and_the_rest_refused(db):
    answers = [ask(f"person-{number}@acme.example", "198.51.100.66") for number in range(30)]
    assert answers == [302] * 20 + [429] * 10
    assert ask("another@acme.example", "198.51.100.67") == 302
    assert PasswordLinkRequest.objects.count() == 21


def test_known_and_unknown_addresses_are_refused_alike(super_admin):
    for address in (super_admin.email, "nobody@acme.example"):
        assert [ask(address, f"203.0.113.{number}") for number in range(7)] == [302] * 5 + [429] * 2


def test_a_person_gets_one_e_mail_in_a_quarter_of_an_hour_and_six_a_day(super_admin):
    def flood() -> int:
        PasswordLinkRequest.objects.bulk_create(PasswordLinkRequest(address=super_admin.email) for _ in "123")
        link_emails.answer_requests()
        return Effect.objects.count()

    assert flood() == 1
    for quarter in range(1, 9):
        Effect.objects.filter(created_at__gt=timezone.now() - timedelta(minutes=1)).update(
            created_at=timezone.now() - timedelta(minutes=15 * quarter), key=f"password_reset:{quarter}"
        )
        flood()
    assert Effect.objects.count() == 6
    Effect.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert flood() == 7
