"""Client threads that work at the same time."""

import threading
import time
from collections.abc import Callable, Iterable

CHECK_EVERY = 0.05


def run_in_threads(
    targets: Iterable[Callable[[], object]], while_running: Callable[[], object] | None = None
) -> None:
    """Run each function in a thread of its own and return when all have ended.

    `while_running`, if given, is called again and again in this thread until then.
    """
    threads = [threading.Thread(target=target, name="client", daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    while while_running and any(thread.is_alive() for thread in threads):
        while_running()
        time.sleep(CHECK_EVERY)
    for thread in threads:
        thread.join()
