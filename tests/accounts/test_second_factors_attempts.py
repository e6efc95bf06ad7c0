"""Guesses of a second factor wait longer and longer, never for good, and tell neither a name nor an address."""

import pytest

from integrations.accounts.acts.second_factors import (
    OF_ADDRESS,
    OF_PERSON,
    record_right_factor,
    take_factor_attempt,
)
from integrations.accounts.models.sessions import AttemptLimit, TooMany
from tests.support import factories
from tests.support.attempt_limits import let_pass

HOME, LONGEST_WAIT = "192.0.2.1", 900


@pytest.fixture
def person(db):
    return factories.UserFactory.create()


def wait_of(person, address: str = HOME) -> float:
    refusal = take_factor_attempt(person, address)
    return refusal.seconds if refusal else 0.0


def test_waits_grow_and_end_and_are_forgotten(person):
    waits = []
    for _ in range(14):
        wait = wait_of(person)
        waits.append(round(wait))
        if wait:
            let_pass(wait + 0.1)
            assert not wait_of(person)
    assert waits[:5] == [0] * 5
    assert all(waits[5:])
    assert waits == sorted(waits)
    assert waits[5] == pytest.approx(30, abs=1)
    assert waits[-4:] == pytest.approx([LONGEST_WAIT] * 4, abs=1)
    assert wait_of(person) == pytest.approx(LONGEST_WAIT, abs=1)
    let_pass(LONGEST_WAIT + 3600)
    assert not wait_of(person)
    assert not wait_of(person)


def test_of_a_day_of_guesses_hardly_a_hundred_are_looked_at(person):
    looked_at = 0
    for _ in range(24 * 12):
        while not wait_of(person):
            looked_at += 1
        let_pass(300)
    assert looked_at <= 9 + 24 * 4


def test_a_person_who_must_wait_does_not_use_up_the_address(person):
    while not wait_of(person):
        pass
    before = list(AttemptLimit.objects.order_by("pk").values())
    assert isinstance(take_factor_attempt(person, HOME), TooMany)
    assert list(AttemptLimit.objects.order_by("pk").values()) == before


def test_an_address_that_guesses_for_many_people_is_made_to_wait(person):
    waits = [wait_of(factories.UserFactory.create()) for _ in range(OF_ADDRESS[0].burst + 1)]
    assert [bool(wait) for wait in waits] == [False] * 20 + [True]
    assert not wait_of(person, "192.0.2.2")


def test_right_ones_forget_the_persons_and_leave_the_others_of_the_address(person):
    for _ in range(3):
        take_factor_attempt(factories.UserFactory.create(), HOME)
    for _ in range(30):
        assert take_factor_attempt(person, HOME) is None
        record_right_factor(person, HOME)
    assert list(AttemptLimit.objects.values_list("count", flat=True)).count(3) == len(OF_ADDRESS)
    for _ in range(OF_PERSON[0].burst):
        assert not wait_of(person, "192.0.2.2")


def test_neither_the_address_nor_the_person_can_be_read_from_what_is_kept(person):
    take_factor_attempt(person, HOME)
    for key in AttemptLimit.objects.values_list("key", flat=True):
        assert len(key) == 64
        assert HOME not in key
        assert "person" not in key
