"""Passwords that follow the usual patterns are refused with the reason; good ones of any kind are taken."""

import time

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.support import factories

REFUSED = [
    "a",
    "elevenchars",
    "Summer2026!",
    "Summer2026!!",
    "Winter-2025-!",
    "Frühling2026!",
    "November2026!",
    "!!Recruiting26",
    "Password123!",
    "P@ssw0rd1234",
    "P4ssw0rd!2026",
    "Letmein12345!",
    "qwertyuiop12",
    "1qaz2wsx3edc",
    "qwertz123456!",
    "asdfghjkl;'123",
    "abcdefghijkl",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "hunter22hunter22",
    "passw0rd-passw0rd",
    "201906152019",
    "123456789012",
    "CodeScreen2026!",
    "codescreen-lever",
    "Lever-Portal-1!",
]
TAKEN = [
    "correct horse battery",
    "zB7!kq0pWx2m",
    "sturdy-lamp-orchid-9",
    "пять совсем разных слов тут",
    "五つの 無関係な 言葉を 選んだ",
    "pässwörter sind lang",
    "🦔🪐🧦 hedgehog saturn sock",
    "correcthorsebatterystaple",
    "four unrelated words " + "x7" * 54,
]


@pytest.mark.parametrize("password", REFUSED)
def test_usual_patterns_are_refused(password):
    with pytest.raises(ValidationError) as refusal:
        validate_password(password)
    assert len(password) < 4 or password not in " ".join(refusal.value.messages)


@pytest.mark.parametrize("password", TAKEN)
def test_long_and_unusual_ones_are_taken_whatever_their_letters(password):
    validate_password(password)


@pytest.mark.parametrize(
    "password", ["Hedwig.Zander", "zander-hedwig-7", "hzander@acme7", "Initech-Zander-1"]
)
def test_what_others_know_about_the_person_is_refused(organization, password):
    organization.name = "Initech"
    organization.save()
    user = factories.member(organization, "admin", "hedwig")
    user.username, user.email, user.last_name = "hedwig", "hzander@acme.example", "Zander"
    with pytest.raises(ValidationError):
        validate_password(password, user)


def test_a_person_who_is_not_stored_yet_is_checked_too():
    with pytest.raises(ValidationError):
        validate_password("recruiting-lead", User(username="recruiting-lead"))


def test_the_reason_names_only_what_is_wrong():
    with pytest.raises(ValidationError) as refusal:
        validate_password("a")
    assert "known" not in " ".join(refusal.value.messages)


def test_the_reason_says_what_to_do_instead():
    with pytest.raises(ValidationError) as refusal:
        validate_password("Summer2026!!")
    assert "unrelated words" in " ".join(refusal.value.messages)


def test_no_text_takes_long_to_judge():
    began = time.process_time()
    for hostile in ("4@8({[<369&#!1/|0$5+7%2" * 1000, "é" * 100_000, "a" * 100_000):
        try:
            validate_password(hostile)
        except ValidationError:
            continue
    assert time.process_time() - began < 5
