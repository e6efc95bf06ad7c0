"""What a played history leaves: rows that are undone, what a process remembers, and the calls on the wire."""

import copy
import copyreg
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, RLock

from django.core.cache import cache
from django.db import connection, transaction

from integrations.clients import models as client_models
from integrations.inbox import stage_lists
from integrations.store import database
from integrations.webhooks import authentication
from portal.devtools import databases
from portal.devtools.chaos.every_point.faults import FaultKind
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.platforms import Platforms
from portal.devtools.clock import PretendClock

WRITES = ("POST", "PUT", "DELETE")
NOW_BY_DEFAULT = """SELECT format('ALTER TABLE %I ALTER %I SET DEFAULT pretend_clock.statement_timestamp()',
table_name, column_name) FROM information_schema.columns
WHERE table_schema = 'public' AND column_default ~* '(now|_timestamp)\\('"""


class Wire(Injector):
    """Counts the writes to the platforms, and lets one call of one of them fail."""

    def __init__(self, clock: PretendClock) -> None:
        super().__init__(clock)
        self.writes: list[str] = []
        #: By platform: at a read, a write, or a write to a path with this in it.
        self.faults: dict[str, tuple[str, FaultKind]] = {}

    def at_call(self, name: str) -> FaultKind | None:
        """Return what goes wrong with this call."""
        method, _, path = name.partition(" ")
        if method in WRITES and "oauth" not in path:
            self.writes.append(name)
        platform = "CodeScreen" if path.startswith("/api/") else "Lever"
        at, kind = self.faults.get(platform, ("", None))
        is_there = (method in WRITES) == (at != "read") and (at in ("read", "write") or at in path)
        if kind is not None and is_there:
            del self.faults[platform]
            return kind
        return None

    def after_call(self, kind: FaultKind | None) -> None:
        """Do nothing: nobody is killed."""


@contextmanager
def undone() -> Iterator[None]:
    """Undo all that is written within; the columns' defaults can be told the time there."""
    if connection.vendor == "postgresql":
        it = connection.settings_dict
        address = f"{it['USER']}:{it['PASSWORD']}@{it['HOST']}:{it['PORT']}/{it['NAME']}"
        databases.prepare(f"postgresql://{address}")
    connection.ensure_connection()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(NOW_BY_DEFAULT)
                for (statement,) in cursor.fetchall():
                    cursor.execute(statement)
            databases.postgresql_follows_python(connection)
        else:
            databases.sqlite_follows_python(connection.connection)
        yield
        transaction.set_rollback(True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path; DROP SCHEMA pretend_clock CASCADE")
    connection.close()  # which tells the time of the last history


def copied[Kept](kept: Kept, platforms: Platforms) -> Kept:
    """Return a copy of what the pretend platforms hold, with locks of its own."""
    copyreg.pickle(type(Lock()), lambda _: (Lock, ()))
    copyreg.pickle(type(RLock()), lambda _: (RLock, ()))
    shared = (platforms.lever.platform.sender, platforms.codescreen.platform.sender)
    return copy.deepcopy(kept, {id(one): one for one in shared})


def forget() -> None:
    """Forget what a process remembers between steps."""
    cache.clear()
    database.reset_clock()
    client_models.forget()
    authentication.seen.clear()
    authentication.memory.forget()
    stage_lists.readings.clear()
