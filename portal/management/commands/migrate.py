"""Django's migrate for a portal that is running: it blocks no request for long, and says what it does."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from integrations.store.database import conflict

#: How long a migration waits for a lock: every statement on the table queues behind it, webhooks too.
LOCK_SECONDS = 2
#: Between two tries, for the statements that queued behind the first.
PAUSE_SECONDS = 5.0


class Command(migrate.Command):
    help = f"{migrate.Command.help} A migration whose lock isn't free is tried again until it is."
    _running = "The migration"
    _connection: BaseDatabaseWrapper

    def handle(self, *args: Any, **options: Any) -> None:
        self._connection = connections[options["database"]]
        self._set_time_outs(lock=LOCK_SECONDS)
        while True:
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                name = conflict(error)
                if not name:  # SQLite has no lock time-outs: any error there ends the command
                    raise
                self.stdout.write(f"{self._running}: {name}. It is tried again in {PAUSE_SECONDS:.0f} s.")
                time.sleep(PAUSE_SECONDS)
            else:
                self._reset_time_outs()
                return

    def _set_time_outs(self, *, lock: int) -> None:
        """Let a migration take its time, for one may change many rows, but wait only so many seconds for a lock."""
        if self._connection.vendor == "postgresql":
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', '0', false),"
                    " set_config('idle_in_transaction_session_timeout', '0', false)",
                    [f"{lock}s"],
                )

    def _reset_time_outs(self) -> None:
        """Have the connection's own time-outs again: the command that migrated goes on with it."""
        if self._connection.vendor == "postgresql":
            with self._connection.cursor() as cursor:
                for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                    cursor.execute(f"RESET {name}")

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Set the time-outs of a migration that begins, and name it where Django wouldn't."""
        if migration is not None and action in {"apply_start", "unapply_start"}:
            self._running = str(migration)
            # one without a transaction, such as an index that is built concurrently, holds nobody up while it waits,
            # and couldn't be tried again from its beginning
            self._set_time_outs(lock=LOCK_SECONDS if migration.atomic else 0)
            # the portal's other commands migrate with verbosity 0 and are silent, but this may take minutes
            if self.verbosity == 0 and migration.app_label == "integrations":
                self.stdout.write(f"Migration {migration}…")
        super().migration_progress_callback(action, migration, fake)
