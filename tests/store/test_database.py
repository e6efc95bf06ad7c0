"""A platform's answer isn't lost when the database restarts before it is recorded."""

import psycopg
import pytest
import responses
from django.db import InterfaceError, OperationalError, connection, transaction

from integrations.clients import lever_tokens
from integrations.lever.models.connection import LeverConnection
from integrations.store import database
from tests.support import factories


class WriteDuringRestart:
    """A write that raises each of `errors` once, before or after its commit, as during a restart of the database."""

    def __init__(self, write, errors, is_committed=False) -> None:
        self.write, self.errors, self.is_committed = write, errors, is_committed

    def __call__(self, *args):
        if self.is_committed or not self.errors:
            outcome = self.write(*args)
        if self.errors:
            raise self.errors.pop()
        return outcome


@pytest.fixture(autouse=True)
def _retry_without_pauses(monkeypatch) -> None:
    monkeypatch.setattr(database, "PAUSE_SECONDS", 0.0)


@pytest.mark.django_db(transaction=True)
def test_a_write_is_retried_on_a_new_connection() -> None:
    connection.ensure_connection()
    before = connection.connection

    def connect() -> str:
        connection.ensure_connection()
        return "done"

    assert database.with_retry(WriteDuringRestart(connect, [OperationalError(), InterfaceError()])) == "done"
    assert connection.connection is not before


def conflicting(error: type[psycopg.Error]) -> OperationalError:
    """Return Django's error for that of PostgreSQL."""
    raised = OperationalError("canceling statement")
    raised.__cause__ = error()
    return raised


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (psycopg.errors.DeadlockDetected, "a deadlock"),
        (psycopg.errors.LockNotAvailable, "a lock time-out"),
        (psycopg.errors.SerializationFailure, "a serialization failure"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_write_that_another_transaction_ended_is_retried_at_once_on_its_connection(
    caplog, monkeypatch, error, name
) -> None:
    monkeypatch.setattr(database, "PAUSE_SECONDS", 1000.0)
    connection.ensure_connection()
    before = connection.connection
    assert database.with_retry(WriteDuringRestart(lambda: "done", [conflicting(error)])) == "done"
    assert connection.connection is before
    assert name in caplog.text
    assert "unreachable" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_write_is_given_up_when_the_time_is_over(monkeypatch) -> None:
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.0)
    with pytest.raises(OperationalError):
        database.with_retry(WriteDuringRestart(lambda: None, [OperationalError()] * 5))


@pytest.mark.django_db(transaction=True)
def test_a_write_is_not_retried_inside_a_transaction() -> None:
    write = WriteDuringRestart(lambda: None, [OperationalError()])
    with pytest.raises(OperationalError), transaction.atomic():
        database.with_retry(write)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_new_pair_of_tokens_is_stored_when_the_database_restarts(
    settings, monkeypatch, is_committed
) -> None:
    settings.LEVER_AUTH_URL = "https://auth.lever.example"
    lever = factories.LeverConnectionFactory.create()
    rotate = WriteDuringRestart(LeverConnection.rotate, [OperationalError()], is_committed)
    monkeypatch.setattr(LeverConnection, "rotate", lambda self, tokens: rotate(self, tokens))
    with responses.RequestsMock() as wire:
        wire.post(
            "https://auth.lever.example/oauth/token",
            json={"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600},
        )
        assert lever_tokens.token_source(lever).renew("Bearer access-1") == "Bearer access-2"
    assert not rotate.errors
    stored = LeverConnection.objects.get()
    assert (stored.refresh_token, stored.state) == ("refresh-2", "connected")
