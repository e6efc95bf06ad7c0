"""The same work in several threads at once, as several workers or requests do it."""

import threading
from collections.abc import Callable

from django.db import connection


def run_at_once(work: Callable[[], object], times: int = 4) -> list[Exception]:
    """Begin the work in so many threads at the same moment, and wait for them; return the errors that it raised."""
    raised: list[Exception] = []
    barrier = threading.Barrier(times)

    def run() -> None:
        try:
            barrier.wait(30)
            work()
        except Exception as error:  # noqa: BLE001 - the test asserts on it
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised
