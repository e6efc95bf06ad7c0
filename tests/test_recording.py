"""A database that restarts after a platform has answered must not cost the answer."""

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from integrations.workflow import invite, recording

ALDER = "alder@candidates.example"


class Restarting:
    """A database that goes away a few times, before or after the commit."""

    def __init__(self, write, errors, is_committed=False) -> None:
        self.write, self.errors, self.is_committed = write, errors, is_committed

    def __call__(self, *args):
        if self.is_committed or not self.errors:
            outcome = self.write(*args)
        if self.errors:
            raise self.errors.pop()
        return outcome


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(recording, "PAUSE_SECONDS", 0.0)


@pytest.mark.django_db(transaction=True)
def test_it_is_recorded_on_a_new_connection() -> None:
    connection.ensure_connection()
    before = connection.connection

    def connect() -> str:
        connection.ensure_connection()
        return "done"

    assert recording.record(Restarting(connect, [OperationalError(), InterfaceError()])) == "done"
    assert connection.connection is not before


@pytest.mark.django_db(transaction=True)
def test_it_is_given_up_in_time(monkeypatch) -> None:
    monkeypatch.setattr(recording, "KEEP_TRYING_SECONDS", 0.0)
    with pytest.raises(OperationalError):
        recording.record(Restarting(lambda: None, [OperationalError()] * 5))


@pytest.mark.django_db(transaction=True)
def test_a_transaction_of_the_callers_is_not_repeated_halfway() -> None:
    write = Restarting(lambda: None, [OperationalError()])
    with pytest.raises(OperationalError), transaction.atomic():
        recording.record(write)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("step", ["_declare", "_record_invited"])
def test_an_invitation_survives_a_restart_around_its_call(
    box, world, monkeypatch, step, is_committed
) -> None:
    restarting = Restarting(getattr(invite, step), [OperationalError()], is_committed)
    monkeypatch.setattr(invite, step, restarting)
    invitation = box.invitation()
    box.work()
    assert not restarting.errors
    assert (box.reread(invitation).status, world.emails(ALDER)) == ("invited", 1)
    assert box.effect().state == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_definite_no_survives_a_restart_and_is_tried_again(box, world, monkeypatch, is_committed) -> None:
    monkeypatch.setattr(
        invite, "_start_over", Restarting(invite._start_over, [OperationalError()], is_committed)
    )
    box.codescreen_fails(status=503)
    invitation = box.invitation()
    box.work()
    assert box.reread(invitation).status == "pending"
    box.later()
    assert (box.reread(invitation).status, world.emails(ALDER)) == ("invited", 1)
