"""A limit gives no more attempts than are free, also at once; refused ones use nothing up."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from integrations.accounts.models.attempts import FREE_SECONDS_KEPT, AttemptLimit, Limit, TooMany
from tests.support.attempt_limits import let_pass

LIMITS = {"a": Limit(3, 60.0), "b": Limit(5, 10.0)}


def test_the_free_attempts_are_counted_and_then_one_after_each_interval(db):
    for number in (1, 2, 3):
        assert AttemptLimit.take(LIMITS) == {"a": number, "b": number}
    refused = AttemptLimit.take(LIMITS)
    assert isinstance(refused, TooMany)
    assert refused.seconds == pytest.approx(60, abs=2)
    let_pass(61)
    assert isinstance(AttemptLimit.take(LIMITS), dict)
    assert isinstance(AttemptLimit.take(LIMITS), TooMany)


def test_refused_attempts_use_nothing_up_and_write_nothing(db, django_assert_num_queries):
    for _ in range(3):
        AttemptLimit.take(LIMITS)
    before = list(AttemptLimit.objects.order_by("pk").values())
    with django_assert_num_queries(1):
        AttemptLimit.take(LIMITS)
    assert list(AttemptLimit.objects.order_by("pk").values()) == before
    let_pass(61)
    assert isinstance(AttemptLimit.take(LIMITS), dict)


def test_a_limit_that_another_one_refuses_is_not_taken(db, monkeypatch):
    for _ in range(3):
        AttemptLimit.take({"b": Limit(3, 10.0)})
    monkeypatch.setattr(AttemptLimit, "_seconds_to_wait", classmethod(lambda cls, limits: 0.0))
    assert isinstance(AttemptLimit.take({"a": Limit(3, 60.0), "b": Limit(3, 10.0)}), TooMany)
    assert not AttemptLimit.objects.filter(pk="a").exists()


def test_an_attempt_given_back_is_free_again(db):
    for _ in range(50):
        assert isinstance(AttemptLimit.take(LIMITS), dict)
        AttemptLimit.give_back(LIMITS)
    AttemptLimit.give_back(LIMITS)
    assert AttemptLimit.take(LIMITS) == {"a": 1, "b": 1}


def test_the_count_begins_anew_after_a_complete_pause(db):
    AttemptLimit.take(LIMITS)
    AttemptLimit.take(LIMITS)
    let_pass(1000)
    assert AttemptLimit.take(LIMITS) == {"a": 1, "b": 1}


@pytest.mark.django_db(transaction=True)
def test_of_many_attempts_at_once_no_more_are_taken_than_are_free():
    def take(_: int) -> bool:
        try:
            return isinstance(AttemptLimit.take(LIMITS), dict)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(24))) == 3
    assert dict(AttemptLimit.objects.values_list("pk", "count")) == {"a": 3, "b": 3}


def test_rows_are_deleted_once_all_is_free(db):
    AttemptLimit.take({"old": Limit(1, 1.0), "new": Limit(1, FREE_SECONDS_KEPT)})
    assert AttemptLimit.purge() == 0
    let_pass(FREE_SECONDS_KEPT + 2)
    assert AttemptLimit.purge() == 1
    assert [row.pk for row in AttemptLimit.objects.all()] == ["new"]
