"""Forgotten passwords are asked for in a flood: few requests of a network are stored, few e-mails are sent."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from integrations.accounts.models.attempts import PasswordLinkRequest
from integrations.notifications import link_emails
from integrations.outbox.models.effect import Effect

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
