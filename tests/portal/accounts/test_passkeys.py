"""Passkeys: added under names, asked for at sign-in or instead of the password, and what an attacker's answers get."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations.accounts.models.second_factors import Passkey
from portal.accounts.passkeys import are_possible
from tests.support import factories
from tests.support.second_factors import (
    SecurityKey,
    change_session,
    make_strong,
    options_in,
    prove_now,
    sign_in,
    use_passkey_address,
    with_app,
)

ADD, PAGE = "/account/second-factor/passkeys/", "/login/second-factor/"
OPTIONS, SIGN_IN = "/login/passkey/options/", "/login/passkey/"


@pytest.fixture
def origin(settings) -> str:
    return use_passkey_address(settings)


def registered(user: User, key: SecurityKey, name: str = "key") -> Client:
    """Add the key to the person's account; return the client that did it."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    prove_now(client)
    make_strong(client)
    answer = key.make(options_in(client.get(ADD)))
    client.post(ADD, {"name": name, "passkey": answer})
    return client


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def use_as_second_factor(user: User, key: SecurityKey) -> Client:
    client = Client()
    sign_in(client, user)
    client.post(PAGE, {"passkey": key.sign(options_in(client.get(PAGE)))})
    return client


def use_alone(key: SecurityKey) -> Client:
    client = Client()
    options = client.post(OPTIONS).json()
    client.post(SIGN_IN, {"passkey": key.sign(options)})
    return client


def test_a_passkey_is_the_second_factor(super_admin, origin):
    key = SecurityKey(origin, verifies=False)
    registered(super_admin, key)
    client = use_as_second_factor(super_admin, key)
    assert is_signed_in(client)
    assert client.session["second_factor"] == "passkey"
    assert Passkey.objects.get().last_used_at


def test_a_passkey_that_verifies_its_person_signs_in_alone(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    client = use_alone(key)
    assert is_signed_in(client)
    assert client.session["sign_in_method"] == "passkey"


def test_a_passkey_that_verifies_nobody_does_not_sign_in_alone(super_admin, origin):
    key = SecurityKey(origin, verifies=False)
    registered(super_admin, key)
    assert not is_signed_in(use_alone(key))


def test_a_deactivated_person_does_not_sign_in_by_passkey(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    User.objects.update(is_active=False)
    assert not is_signed_in(use_alone(key))


@pytest.mark.parametrize(
    "elsewhere",
    ["https://portal.example.evil.example", "http://portal.example", "https://portal.example:8443"],
)
def test_what_was_signed_for_another_site_is_refused(super_admin, origin, elsewhere):
    key = SecurityKey(origin)
    registered(super_admin, key)
    key.origin = elsewhere
    assert not is_signed_in(use_alone(key))
    assert not is_signed_in(use_as_second_factor(super_admin, key))


def test_a_signature_by_another_key_is_refused(super_admin, origin):
    key, other = SecurityKey(origin), SecurityKey(origin)
    registered(super_admin, key)
    key.private_key = other.private_key
    assert not is_signed_in(use_alone(key))


def test_another_persons_passkey_is_no_second_factor(super_admin, team_member, origin):
    key, theirs = SecurityKey(origin), SecurityKey(origin)
    registered(super_admin, key)
    registered(team_member, theirs)
    client = Client()
    sign_in(client, super_admin)
    client.post(PAGE, {"passkey": theirs.sign(options_in(client.get(PAGE)))})
    assert not is_signed_in(client)


def test_a_passkey_that_claims_another_person_is_refused(super_admin, team_member, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    key.user_handle = b"x" * 32
    assert not is_signed_in(use_alone(key))
    key.user_handle = b""
    assert not is_signed_in(use_alone(key))


def test_an_answer_is_good_once_and_for_its_own_session(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    first, second = Client(), Client()
    answer = key.sign(first.post(OPTIONS).json())
    second.post(OPTIONS)
    second.post(SIGN_IN, {"passkey": answer})
    assert not is_signed_in(second)
    first.post(SIGN_IN, {"passkey": answer})
    assert is_signed_in(first)
    first.post("/logout/")
    first.post(SIGN_IN, {"passkey": answer})
    assert not is_signed_in(first)


def test_a_copy_of_a_passkey_is_refused_by_its_count(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    for _ in range(3):
        assert is_signed_in(use_alone(key))
    key.count = 1
    assert not is_signed_in(use_alone(key))


def test_the_question_for_the_second_factor_is_no_question_for_signing_in_alone(super_admin, origin):
    """It asks for possession only; who has the key but not its PIN must give the password too."""
    key = SecurityKey(origin, verifies=False)
    registered(super_admin, key)
    client = Client()
    sign_in(client, super_admin)
    client.post(SIGN_IN, {"passkey": key.sign(options_in(client.get(PAGE)))})
    assert not is_signed_in(client)


def test_wrong_codes_do_not_keep_a_passkey_waiting(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    with_app(super_admin)
    client = Client()
    sign_in(client, super_admin)
    for _ in range(7):
        client.post(PAGE, {"code": "000000"})
    client.post(PAGE, {"passkey": key.sign(options_in(client.get(PAGE)))})
    assert is_signed_in(client)


def test_names_are_each_persons_own_and_once(super_admin, team_member, origin):
    registered(super_admin, SecurityKey(origin), "Schlüssel 🔑")
    registered(team_member, SecurityKey(origin), "Schlüssel 🔑")
    client = registered(super_admin, SecurityKey(origin), "second")
    answer = SecurityKey(origin).make(options_in(client.get(ADD)))
    page = client.post(ADD, {"name": "second", "passkey": answer}, follow=True)
    assert "Choose another name" in page.content.decode()
    assert Passkey.objects.filter(user=super_admin).count() == 2
    assert len(set(Passkey.objects.filter(user=super_admin).values_list("user_handle", flat=True))) == 1


def test_the_same_passkey_is_stored_for_one_person_only(super_admin, team_member, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    registered(team_member, key, "stolen")
    assert Passkey.objects.get().user == super_admin


def test_the_twenty_first_passkey_is_refused_with_the_fix(super_admin, origin):
    credential = known_credential(origin)
    for number in range(20):
        Passkey.objects.create(
            user=super_admin,
            name=f"key {number}",
            credential_id=f"id-{number}",
            credential=credential,
            user_handle="00" * 32,
        )
    client = Client()
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    prove_now(client)
    make_strong(client)
    answer = SecurityKey(origin).make(options_in(client.get(ADD)))
    assert (
        "Remove one"
        in client.post(ADD, {"name": "one more", "passkey": answer}, follow=True).content.decode()
    )


def known_credential(origin: str) -> bytes:
    user = factories.UserFactory.create()
    registered(user, SecurityKey(origin))
    data = bytes(Passkey.objects.get(user=user).credential)
    Passkey.objects.filter(user=user).delete()
    return data


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "\0"])
def test_a_name_that_can_not_be_stored_is_refused(super_admin, origin, name):
    client = registered(super_admin, SecurityKey(origin), name)
    assert client.get(ADD).status_code == 200
    assert not Passkey.objects.exists()


def test_another_persons_passkey_can_not_be_removed(super_admin, team_member, origin):
    registered(super_admin, SecurityKey(origin))
    client = registered(team_member, SecurityKey(origin))
    theirs = Passkey.objects.get(user=super_admin)
    assert client.post(f"{ADD}{theirs.pk}/remove/").status_code == 404
    assert Passkey.objects.filter(pk=theirs.pk).exists()


def answer_with(**response: str) -> str:
    return json.dumps(
        {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"clientDataJSON": "e30", **response}}
    )


HOSTILE = [
    "",
    "null",
    "[]",
    "{}",
    '{"id": "a"}',
    '{"id": "a", "rawId": "b", "response": {}}',
    '{"id": 1, "rawId": 1, "type": "public-key", "response": {"clientDataJSON": 5}}',
    answer_with(authenticatorData="YQ", signature="YQ", userHandle="YQ"),
    answer_with(attestationObject="YQ"),
    "[" * 10_000,
    "x" * 100_000,
    json.dumps({"rawId": "ü", "id": "ü", "response": None}),
]


@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_answers_are_refused_without_an_error(super_admin, origin, answer):
    client = Client()
    client.post(OPTIONS)
    assert client.post(SIGN_IN, {"passkey": answer})["Location"] == "/login/"
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    prove_now(client)
    client.get(ADD)
    assert client.post(ADD, {"name": "key", "passkey": answer})["Location"] == f"{ADD}?name=key"
    assert not Passkey.objects.exists()


def test_an_answer_without_a_question_is_refused(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    options = Client().post(OPTIONS).json()
    client = Client()
    client.post(SIGN_IN, {"passkey": key.sign(options)})
    assert not is_signed_in(client)
    change_session(client, passkey_challenge={"challenge": 7, "user_verification": None})
    client.post(SIGN_IN, {"passkey": key.sign(options)})
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("https://portal.example", True),
        ("http://localhost:8000", True),
        ("http://portal.example", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::7]", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_passkeys_are_offered_where_browsers_have_them(client, db, settings, address, possible):
    settings.PORTAL_URL = address
    assert are_possible() is possible
    assert ("Sign in with a passkey" in client.get("/login/").content.decode()) is possible


def test_the_page_to_go_to_is_one_of_this_site(super_admin, origin):
    key = SecurityKey(origin)
    registered(super_admin, key)
    for asked, given in (
        ("/activity/", "/activity/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
    ):
        client = Client()
        answer = key.sign(client.post(OPTIONS).json())
        assert client.post(SIGN_IN, {"passkey": answer, "next": asked})["Location"] == given
