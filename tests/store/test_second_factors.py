"""Codes by time, recovery codes and passkeys' counts: what is accepted, and once."""

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from integrations.accounts.models import second_factors
from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey, RecoveryCode
from integrations.store import database
from tests.support import factories
from tests.support.second_factors import code_of, with_app, with_recovery_codes

#: The product's, which the tests lower.
HASHING_COST = second_factors.HASHING_COST


@pytest.fixture
def person(db):
    return factories.UserFactory.create()


def test_the_secret_is_encrypted_at_rest(person):
    app = with_app(person)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_authenticatorapp")
        (stored,) = cursor.fetchone()
    assert app.secret not in stored
    assert stored.startswith("gAAAA")


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_is_accepted_when_the_phone_is_a_step_off(person, steps):
    app, now = with_app(person), database.now()
    assert app.accept(code_of(app, steps, now), now)


@pytest.mark.parametrize("steps", [-2, 2, 100])
def test_a_code_is_refused_when_the_phone_is_further_off(person, steps):
    app, now = with_app(person), database.now()
    assert not app.accept(code_of(app, steps, now), now)


def test_a_code_is_accepted_once_and_no_earlier_one_after_it(person):
    app, now = with_app(person), database.now()
    assert app.accept(code_of(app, 0, now), now)
    assert not app.accept(code_of(app, 0, now), now)
    assert not app.accept(code_of(app, -1, now), now)
    assert app.accept(code_of(app, 1, now), now)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\n", "0" * 100_000])
def test_what_is_no_code_is_refused_without_an_error(person, code):
    assert not with_app(person).accept(code, database.now())


def test_a_person_has_one_app_and_one_that_is_being_set_up(person):
    with_app(person)
    AuthenticatorApp.begin_set_up(person, database.now())
    first = AuthenticatorApp.begin_set_up(person, database.now())
    assert AuthenticatorApp.objects.count() == 2
    assert first.secret != AuthenticatorApp.begin_set_up(person, database.now()).secret
    with pytest.raises(IntegrityError):
        with_app(person)


def test_a_secret_that_was_not_confirmed_within_an_hour_is_refused(person):
    now = database.now()
    app = AuthenticatorApp.begin_set_up(person, now - timedelta(minutes=61))
    assert not app.confirm(code_of(app, 0, now), now)


def test_each_recovery_code_works_once_in_any_writing(person):
    codes = with_recovery_codes(person)
    assert len(set(codes)) == 10
    now = database.now()
    assert RecoveryCode.accept(person, f" {codes[0].upper().replace('-', ' ')}\n", now)
    assert not RecoveryCode.accept(person, codes[0], now)
    assert RecoveryCode.accept(person, codes[9], now)
    assert RecoveryCode.objects.filter(used_at=None).count() == 8


def test_an_issued_recovery_code_works_after_the_length_of_new_ones_changed(person, monkeypatch):
    issued = with_recovery_codes(person)
    monkeypatch.setattr(second_factors, "RECOVERY_CODE_LENGTH", second_factors.RECOVERY_CODE_LENGTH + 4)
    assert RecoveryCode.accept(person, issued[0], database.now())


def test_only_hashes_of_recovery_codes_are_stored(person):
    codes = with_recovery_codes(person)
    stored = str(list(RecoveryCode.objects.values())).lower()
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_recovery_codes_are_hashed_at_full_cost(person, monkeypatch):
    monkeypatch.setattr(second_factors, "HASHING_COST", HASHING_COST)
    [code, *_] = with_recovery_codes(person)
    stored = {row.digest: row.salt for row in RecoveryCode.objects.all()}
    [salt] = set(stored.values())
    typed = code.replace("-", "").encode()
    assert hashlib.scrypt(typed, salt=bytes.fromhex(salt), n=16384, r=8, p=1, dklen=32).hex() in stored


def test_a_new_set_ends_the_earlier_one(person):
    [first, *_], [second, *_] = with_recovery_codes(person), with_recovery_codes(person)
    assert not RecoveryCode.accept(person, first, database.now())
    assert RecoveryCode.accept(person, second, database.now())


@pytest.mark.parametrize("typed", ["", "-", "a" * 16, "ü" * 16, "a" * 1_000_000, "\0" * 16])
def test_what_is_no_recovery_code_is_refused_without_an_error(person, typed):
    with_recovery_codes(person)
    assert not RecoveryCode.accept(person, typed, database.now())


def test_another_persons_recovery_code_is_refused(person):
    with_recovery_codes(person)
    [theirs, *_] = with_recovery_codes(factories.UserFactory.create())
    assert not RecoveryCode.accept(person, theirs, database.now())


@pytest.mark.parametrize(
    ("before", "after", "is_fresh"), [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 0, False)]
)
def test_a_passkey_whose_count_does_not_rise_is_taken_for_a_copy(person, before, after, is_fresh):
    passkey = Passkey.objects.create(
        user=person, name="key", credential_id="id", credential=b"", user_handle="00", sign_count=before
    )
    assert passkey.note_use(after, database.now()) is is_fresh
