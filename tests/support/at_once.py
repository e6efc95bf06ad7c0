"""The same work in several threads at once, as several workers or requests do it; work beside an open transaction."""

import threading
from collections.abc import Callable

from django.db import connection, transaction

#: For how long a transaction stays open once another has begun: SQLite lets that one wait at its first statement.
WAIT_SECONDS = 0.1 if connection.vendor == "sqlite" else 0.5


def run_at_once(*works: Callable[[], object], times: int = 4) -> list[Exception]:
    """Begin each work in so many threads, all at the same moment, and wait; return the errors that they raised."""
    raised: list[Exception] = []
    barrier = threading.Barrier(len(works) * times)
    threads = [_thread(work, raised, barrier) for work in works * times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def run_during_transaction(first: Callable[[], object], second: Callable[[], object]) -> list[Exception]:
    """Begin `second` before the transaction of `first` is committed; return the errors that `second` raised."""
    raised: list[Exception] = []
    thread = _thread(second, raised, threading.Barrier(1))
    with transaction.atomic():
        first()
        thread.start()
        thread.join(WAIT_SECONDS)  # it waits for this transaction, or is done
    thread.join(20)
    return raised


def _thread(
    work: Callable[[], object], raised: list[Exception], barrier: threading.Barrier
) -> threading.Thread:
    def run() -> None:
        try:
            barrier.wait(30)
            work()
        except Exception as error:  # noqa: BLE001 - the test asserts on it
            raised.append(error)
        finally:
            connection.close()

    return threading.Thread(target=run)
