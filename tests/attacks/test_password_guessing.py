"""Passwords are guessed from one address, from many, behind a proxy; and nobody is locked out by somebody else."""

from http import HTTPStatus
from random import randrange

import pytest
from django.test import Client

from integrations.accounts.models.attempts import AttemptLimit, Limit
from integrations.notifications.link_emails import choose_password_link
from portal.accounts import entries, limits
from portal.accounts.backend import PasswordBackend
from tests.support.at_once import run_at_once
from tests.support.attempt_limits import let_pass
from tests.support.factories import recorded
from tests.support.second_factors import PASSWORD

PROXY, OFFICE, ATTACKER = "10.0.0.1", "192.0.2.10", "198.51.100.66"
SIGNED_IN, WRONG, TOO_MANY = HTTPStatus.FOUND, HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS


@pytest.fixture(autouse=True)
def _behind_one_proxy(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": None}  # allauth's own, of all sign-ins of a network in a minute


def sign_in(login: str, password: str, address: str):
    """Sign in through the proxy, which adds the caller's address to what the caller wrote, another each time."""
    forwarded = f"203.0.113.{randrange(256)}, {address}"
    form = {"login": login, "password": password}
    return Client().post("/accounts/login/", form, REMOTE_ADDR=PROXY, headers={"X-Forwarded-For": forwarded})


def guess(login: str, times: int, address: str = ATTACKER) -> list[int]:
    return [sign_in(login, f"guess-{n}", address).status_code for n in range(times)]


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_guesses_at_once_no_more_are_looked_at_than_are_free(super_admin, monkeypatch):
    looked_at, numbers = list[str](), iter(range(16))

    def look(self, request, username=None, password="", **_: object) -> None:
        looked_at.append(password)

    def send() -> None:
        number = next(numbers)
        sign_in(super_admin.username, f"guess-{number}", f"198.51.100.{number}" if number < 4 else ATTACKER)

    monkeypatch.setattr(PasswordBackend, "authenticate", look)
    monkeypatch.setattr(limits, "ACCOUNT", (Limit(7, 600.0),))
    assert not run_at_once(send, times=16)
    assert len(looked_at) == 7


def test_a_stranger_behind_the_same_proxy_locks_nobody_out(super_admin):
    assert guess(super_admin.username, 6)[-1] == TOO_MANY
    answer = sign_in(super_admin.username, PASSWORD, OFFICE)
    assert (answer.status_code, answer["Location"]) == (SIGNED_IN, "/")


def test_while_many_addresses_guess_a_link_opens_the_account(super_admin, monkeypatch):
    monkeypatch.setattr(limits, "ACCOUNT", (Limit(5, 600.0),))
    answers = [guess(super_admin.username, 1, address=f"198.51.100.{n}")[0] for n in range(8)]
    assert answers == [WRONG] * 5 + [TOO_MANY] * 3
    assert sign_in(super_admin.username, PASSWORD, OFFICE).status_code == TOO_MANY
    client = Client()
    page = client.get(choose_password_link(super_admin), follow=True)
    form = {"password1": "seven green bicycles", "password2": "seven green bicycles"}
    assert client.post(page.request["PATH_INFO"], form)["Location"] == "/"


def test_one_address_can_never_use_up_the_limit_of_an_account():
    """However long it goes on: its own limits let fewer attempts through, at once and by the hour."""
    quick, slow = limits.ACCOUNT_FROM_NETWORK
    [account] = limits.ACCOUNT
    assert quick.burst < slow.burst < account.burst
    assert slow.seconds > account.seconds


def test_a_name_and_an_address_of_one_account_share_its_limit(super_admin):
    assert guess(super_admin.username, 5) == [WRONG] * 5
    assert guess(super_admin.email, 1) == guess(super_admin.username.upper(), 1) == [TOO_MANY]


def test_one_password_tried_with_many_names_is_limited(db, monkeypatch):
    monkeypatch.setattr(limits, "NETWORK", (Limit(4, 30.0),))
    answers = [guess(f"person-{n}", 1)[0] for n in range(6)]
    assert answers == [WRONG] * 4 + [TOO_MANY] * 2
    assert guess("another", 1, address="198.51.100.67") == [WRONG]


def test_the_right_password_is_refused_too_until_the_stated_time_is_over(super_admin):
    guess(super_admin.username, 5)
    for _ in range(3):  # refused attempts don't prolong the wait
        refused = sign_in(super_admin.username, PASSWORD, ATTACKER)
        assert refused.status_code == TOO_MANY
    seconds = int(refused["Retry-After"])
    assert 1 <= seconds <= 60
    page = " ".join(refused.content.decode().split())
    assert "Wait a minute" in page
    assert "/accounts/password/reset/" in page
    let_pass(seconds)
    assert sign_in(super_admin.username, PASSWORD, ATTACKER).status_code == SIGNED_IN


def test_right_passwords_count_for_no_limit_and_free_no_guesses_for_others(super_admin, team_member):
    for _ in range(5):
        guess(super_admin.username, 1)
        assert sign_in(team_member.username, PASSWORD, ATTACKER).status_code == SIGNED_IN
    assert sign_in(team_member.username, PASSWORD, ATTACKER).status_code == SIGNED_IN
    assert guess(super_admin.username, 1) == [TOO_MANY]


def test_unknown_names_are_limited_as_known_ones_are(super_admin):
    known = guess(super_admin.username, 7)
    assert known == guess("nobody-at-all", 7, address="198.51.100.67") == [WRONG] * 5 + [TOO_MANY] * 2
    assert guess("ⓝobody-at-all", 1, address="198.51.100.67") == [TOO_MANY]


# what the log keeps


def test_a_flood_of_failures_leaves_few_entries_and_no_typed_name(super_admin, organization):
    secret = "typed-Into-the-wrong-field!"
    guess(secret, 8)
    guess(super_admin.username, 8, address="198.51.100.67")
    for whose in (None, organization):
        actions = recorded().filter(organization=whose).order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["fail_sign_in", "refuse_sign_in"]
    first = recorded().filter(organization=organization).earliest("pk")
    assert first.changes == {"failures_in_a_row": ["", 1], "address": ["", "198.51.100.67"]}
    assert first.actor is None
    stored = str(list(recorded().values()) + list(AttemptLimit.objects.values()))
    assert secret.casefold() not in stored.casefold()


def test_guesses_from_many_addresses_leave_few_entries(super_admin, caplog, monkeypatch):
    monkeypatch.setattr(entries, "OF_ONE_PERSON", Limit(3, 600.0))
    for number in range(6):
        guess(super_admin.username, 1, address=f"198.51.100.{number}")
        guess(f"unknown-{number}", 1, address=f"203.0.113.{number}")
    assert recorded().exclude(organization=None).count() == 3
    assert recorded().filter(organization=None).count() == 6
    assert "More failed sign-ins than are recorded" in caplog.text
    assert super_admin.username not in caplog.text
