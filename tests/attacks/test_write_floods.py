"""Requests that cost their sender nothing leave no rows without end."""

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.notifications.models.email_kind import EmailKind
from portal.accounts.throttle import PASSKEY_QUESTIONS
from tests.portal.accounts.test_passkeys import OPTIONS, SIGN_IN, is_signed_in, registered
from tests.support.second_factors import SecurityKey, use_passkey_address

[QUESTIONS] = PASSKEY_QUESTIONS


def test_questions_for_a_passkey_without_a_session_store_few_rows_and_not_for_long(db, settings):
    use_passkey_address(settings)
    answers = [Client().post(OPTIONS) for _ in range(QUESTIONS.burst + 5)]
    assert [answer.status_code for answer in answers[-6:]] == [200, 429, 429, 429, 429, 429]
    assert answers[-1]["Retry-After"].isdigit()
    assert Session.objects.count() == QUESTIONS.burst
    longest = max(Session.objects.values_list("expire_date", flat=True))
    assert (longest - timezone.now()).total_seconds() <= 600


def test_people_who_sign_in_by_passkey_keep_nobody_waiting_and_their_sessions_last(super_admin, settings):
    key = SecurityKey(use_passkey_address(settings))
    registered(super_admin, key)
    for _ in range(QUESTIONS.burst + 1):
        client = Client()
        client.post(SIGN_IN, {"passkey": key.sign(client.post(OPTIONS).json())})
    assert is_signed_in(client)
    assert client.session.get_expiry_age() > 3600


def test_choosing_ones_e_mails_again_and_again_adds_few_entries_to_the_log(limited_member_client):
    kinds = [kind.value for kind in EmailKind]
    for number in range(30):
        answer = limited_member_client.post(
            "/notifications/", dict.fromkeys(kinds if number % 2 else [], "on")
        )
    assert answer.status_code == 302
    assert "Wait" in limited_member_client.get("/notifications/").content.decode()
    assert AuditEntry.objects.filter(action=AuditAction.CHOOSE_EMAILS).count() <= 10
