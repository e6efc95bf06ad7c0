"""Django's migrate for a portal that is running: it blocks no request for long, and says what it does and waits for."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from integrations.store.database import conflict
from portal.process import database_waits

#: Between two tries, for the statements that queued behind the first.
PAUSE_SECONDS = 5.0
#: The transaction that has been open for longest, which most likely holds the lock.
OLDEST_TRANSACTION = """
    SELECT pid, coalesce(nullif(application_name, ''), backend_type), extract(epoch FROM now() - xact_start)::int
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < now() - interval '1 second'
    ORDER BY xact_start LIMIT 1
"""


class Command(migrate.Command):
    help = f"{migrate.Command.help} A migration whose lock isn't free is tried again until it is."
    _running = "The migration"
    _connection: BaseDatabaseWrapper

    def handle(self, *args: Any, **options: Any) -> None:
        self._connection = connections[options["database"]]
        while True:
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                name = conflict(error)
                if not name:  # SQLite has no lock time-outs: any error there ends the command
                    raise
                self.stdout.write(f"{self._running}: {name}. {_why(self._connection)}")
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Set the time-outs of a migration that begins, and name it where Django wouldn't."""
        if migration is not None and action in {"apply_start", "unapply_start"}:
            self._running = str(migration)
            database_waits.set_timeouts_of_migration(self._connection, is_atomic=migration.atomic)
            # the portal's other commands migrate with verbosity 0 and are silent, but this may take minutes
            if self.verbosity == 0 and migration.app_label == "integrations":
                self.stdout.write(f"Migration {migration}…")
        super().migration_progress_callback(action, migration, fake)


def _why(connection: BaseDatabaseWrapper) -> str:
    """Return which transaction most likely holds the lock, and when it is tried again."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_TRANSACTION)
        oldest = cursor.fetchone()
    if oldest is None:
        return f"It is tried again in {PAUSE_SECONDS:.0f} s."
    pid, program, seconds = oldest
    return (
        f"The oldest transaction is that of {program} (process {pid}), open for {seconds} s. "
        f"It is tried again in {PAUSE_SECONDS:.0f} s."
    )
