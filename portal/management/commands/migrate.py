"""Django's migrate for a portal that is running: it blocks no request for long, and says what it does."""

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
                self.stdout.write(f"{self._running}: {name}. It is tried again in {PAUSE_SECONDS:.0f} s.")
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
