"""Passwords are guessed from one address, from many, behind a proxy; and nobody is locked out by somebody else."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from integrations.accounts.models.sessions import AttemptLimit, Limit, UserSession
from portal.accounts import throttle
from tests.support import factories
from tests.support.attempt_limits import let_pass
from tests.support.factories import recorded

PASSWORD = "correct horse battery"
PROXY, OFFICE, ATTACKER = "10.0.0.1", "192.0.2.10", "198.51.100.66"

SIGNED_IN, WRONG, TOO_MANY = HTTPStatus.FOUND, HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS


@pytest.fixture(autouse=True)
def _behind_one_proxy(settings) -> None:
    settings.TRUSTED_PROXIES = 1


def sign_in(client: Client, username: str, password: str, address: str, forged: str = ""):
    """Sign in through the proxy, which adds the caller's address to whatever the caller wrote."""
    forwarded = f"{forged}, {address}" if forged else address
    form = {"username": username, "password": password}
    return client.post("/login/", form, REMOTE_ADDR=PROXY, headers={"X-Forwarded-For": forwarded})


def guess(username: str, times: int, address: str = ATTACKER, forged: str = "") -> list[int]:
    return [sign_in(Client(), username, f"guess-{n}", address, forged).status_code for n in range(times)]


def test_a_stranger_behind_the_same_proxy_locks_nobody_out(super_admin):
    assert TOO_MANY in guess(super_admin.username, 60)
    answer = sign_in(Client(), super_admin.username, PASSWORD, OFFICE)
    assert (answer.status_code, answer["Location"]) == (SIGNED_IN, "/")


def test_a_known_browser_signs_in_while_strangers_guess_from_its_own_address(super_admin):
    client = Client()
    assert sign_in(client, super_admin.username, PASSWORD, OFFICE).status_code == SIGNED_IN
    client.post("/logout/")
    guess(super_admin.username, 40, address=OFFICE)
    assert sign_in(Client(), super_admin.username, PASSWORD, OFFICE).status_code == TOO_MANY
    assert sign_in(client, super_admin.username, PASSWORD, OFFICE).status_code == SIGNED_IN


def test_a_known_address_signs_in_while_many_others_guess(super_admin, monkeypatch):
    sign_in(Client(), super_admin.username, PASSWORD, OFFICE)
    monkeypatch.setattr(throttle, "NAME", (Limit(20, 600.0),))
    answers = [guess(super_admin.username, 1, address=f"198.51.100.{n}")[0] for n in range(30)]
    assert answers == [WRONG] * 20 + [TOO_MANY] * 10
    assert sign_in(Client(), super_admin.username, PASSWORD, "203.0.113.5").status_code == TOO_MANY
    assert sign_in(Client(), super_admin.username, PASSWORD, OFFICE).status_code == SIGNED_IN


def test_one_address_can_never_use_up_the_limit_of_a_name():
    """However long it goes on: its own limits let fewer attempts through, at once and by the hour."""
    quick, slow = throttle.NAME_AT_ADDRESS
    [name] = throttle.NAME
    assert slow.burst < name.burst
    assert slow.seconds > name.seconds
    assert quick.burst < slow.burst


def test_one_password_tried_with_forty_names_is_limited(db):
    answers = [guess(f"person-{n}", 1)[0] for n in range(40)]
    assert answers == [WRONG] * 20 + [TOO_MANY] * 20
    assert guess("another", 1, address="198.51.100.67") == [WRONG]


def test_a_network_of_ipv6_addresses_is_one_client(db):
    answers = [guess(f"person-{n}", 1, address=f"2001:db8:1:2::{n:x}")[0] for n in range(40)]
    assert answers.count(TOO_MANY) == 20


def test_forged_entries_are_no_new_addresses(super_admin):
    answers = [guess(super_admin.username, 1, forged=f"203.0.113.{n}")[0] for n in range(12)]
    assert answers == [WRONG] * 10 + [TOO_MANY] * 2


def test_a_header_with_too_few_entries_is_no_new_address(super_admin, settings):
    settings.TRUSTED_PROXIES = 2
    answers = [guess(super_admin.username, 1, address=f"203.0.113.{n}")[0] for n in range(12)]
    assert answers == [WRONG] * 10 + [TOO_MANY] * 2


def test_forged_entries_take_no_honest_clients_place(super_admin):
    guess(super_admin.username, 40, forged=OFFICE)
    assert guess(super_admin.username, 1, address=OFFICE) == [WRONG]


def test_the_right_password_is_refused_too_until_the_stated_time_is_over(super_admin):
    guess(super_admin.username, 10)
    refused = sign_in(Client(), super_admin.username, PASSWORD, ATTACKER)
    assert refused.status_code == TOO_MANY
    seconds = int(refused["Retry-After"])
    assert 1 <= seconds <= 60
    page = refused.content.decode()
    assert "Wait" in page
    assert "a minute" in page
    assert "/password/forgotten/" in page
    let_pass(seconds)
    assert sign_in(Client(), super_admin.username, PASSWORD, ATTACKER).status_code == SIGNED_IN


def test_refused_attempts_do_not_prolong_the_wait(super_admin):
    guess(super_admin.username, 10)
    waits = [
        int(sign_in(Client(), super_admin.username, PASSWORD, ATTACKER)["Retry-After"]) for _ in range(5)
    ]
    assert max(waits) <= 60


def test_patience_is_limited_too(super_admin):
    """One guess a minute for an hour: after thirty, one each quarter of an hour remains."""
    tried = 0
    for _ in range(60):
        tried += guess(super_admin.username, 1) == [WRONG]
        let_pass(61)
    assert 30 <= tried <= 36


def test_right_passwords_count_for_no_limit(super_admin):
    for _ in range(50):
        assert sign_in(Client(), super_admin.username, PASSWORD, OFFICE).status_code == SIGNED_IN


def test_signing_in_to_an_own_account_frees_no_guesses_for_others(super_admin, team_member):
    for _ in range(10):
        guess(super_admin.username, 1)
        sign_in(Client(), team_member.username, PASSWORD, ATTACKER)
    assert guess(super_admin.username, 1) == [TOO_MANY]


@pytest.mark.parametrize("change", ["another's", "forged", "of another person"])
def test_the_cookie_of_a_known_browser_helps_only_its_person(super_admin, team_member, change):
    client = Client()
    sign_in(
        client,
        team_member.username if change == "of another person" else super_admin.username,
        PASSWORD,
        OFFICE,
    )
    client.post("/logout/")
    if change == "forged":
        value = client.cookies["device"].value
        client.cookies["device"] = value[:-1] + ("A" if value[-1] != "A" else "B")
    elif change == "another's":
        client.cookies["device"] = "eyJ4IjoxfQ:abc:def"
    guess(super_admin.username, 10, address=OFFICE)
    assert sign_in(client, super_admin.username, PASSWORD, OFFICE).status_code == TOO_MANY


def test_a_stolen_cookie_of_a_known_browser_allows_few_guesses(super_admin):
    client = Client()
    sign_in(client, super_admin.username, PASSWORD, OFFICE)
    answers = []
    for number in range(12):
        thief = Client()
        thief.cookies["device"] = client.cookies["device"].value
        answers.append(sign_in(thief, super_admin.username, "guess", f"198.51.100.{number}").status_code)
    assert answers == [WRONG] * 10 + [TOO_MANY] * 2


def test_unknown_names_are_limited_as_known_ones_are(super_admin):
    assert guess(super_admin.username, 12) == guess("nobody-at-all", 12, address="198.51.100.67")


@pytest.mark.parametrize("name", ["ⓤser", "USER", "user"])
def test_names_that_look_alike_share_a_limit(db, name):
    guess("user", 10)
    assert guess(name, 1) == [TOO_MANY]


def test_an_address_is_forgotten_some_time_after_the_last_session_from_it_ended(super_admin):
    sign_in(Client(), super_admin.username, PASSWORD, OFFICE)
    assert throttle.has_signed_in_from(super_admin.username, OFFICE)
    UserSession.objects.update(ended_at=timezone.now() - timedelta(days=31))
    UserSession.objects.purge()
    assert not throttle.has_signed_in_from(super_admin.username, OFFICE)


# what the log keeps


def test_a_flood_of_failures_leaves_few_entries_and_no_typed_name(super_admin, organization):
    secret = "typed-Into-the-wrong-field!"
    guess(secret, 60)
    guess(super_admin.username, 60, address="198.51.100.67")
    entries = recorded().all()
    assert sorted(entries.filter(organization=None).values_list("action", flat=True)) == [
        "fail_sign_in",
        "fail_sign_in",
        "refuse_sign_in",
    ]
    assert sorted(entries.filter(organization=organization).values_list("action", flat=True)) == [
        "fail_sign_in",
        "fail_sign_in",
        "refuse_sign_in",
    ]
    tenth = entries.filter(organization=organization, action="fail_sign_in").order_by("-pk")[0]
    assert tenth.changes == {"failures": [0, 10], "address": ["", "198.51.100.67"]}
    assert tenth.actor is None
    assert (
        secret.casefold() not in str(list(entries.values()) + list(AttemptLimit.objects.values())).casefold()
    )


def test_guesses_from_many_addresses_leave_few_entries(super_admin, caplog):
    for number in range(80):
        guess(super_admin.username, 1, address=f"198.51.100.{number}")
        guess(f"unknown-{number}", 1, address=f"203.0.113.{number}")
    assert recorded().exclude(organization=None).count() == 50
    assert recorded().filter(organization=None).count() == 80
    assert "More failed sign-ins than are recorded" in caplog.text
    assert super_admin.username not in caplog.text


def test_a_person_without_an_organization_is_recorded_for_the_portal(db):
    factories.UserFactory.create(username="alone")
    guess("alone", 1)
    assert recorded().get().target == "alone"


def test_an_inactive_persons_right_password_is_a_failure_like_any_other(super_admin):
    User.objects.filter(pk=super_admin.pk).update(is_active=False)
    answers = [sign_in(Client(), super_admin.username, PASSWORD, ATTACKER).status_code for _ in range(11)]
    assert answers == [WRONG] * 10 + [TOO_MANY]
