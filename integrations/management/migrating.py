"""Commands that migrate the database before they run."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError

#: The key of PostgreSQL's advisory lock: any number that every node of the portal uses.
ADVISORY_LOCK = 7_225_173_026


class MigratingCommand(BaseCommand):
    """A command that applies missing migrations first; what isn't allowed, or a platform's error, ends it in words."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check, migrate, with a line on standard error where there is something to migrate; then run the command."""
        if not options["skip_checks"]:
            self.check()
        if not settings.CONFIGURATION_ERRORS:  # else the checks refuse, and it may be another database
            migrate(OutputWrapper(options["stderr"]) if options.get("stderr") else self.stderr)
        try:
            return super().execute(*args, **{**options, "skip_checks": True})
        except (ActionNotAllowed, PlatformError) as error:
            raise CommandError(str(error)) from error


def migrate(stderr: OutputWrapper) -> None:
    """Apply missing migrations. Of several processes that start at the same time, one migrates and the others wait.

    Raises CommandError when a migration fails.
    """
    if is_migrated():
        return
    with start_up_lock():
        if is_migrated():
            return
        stderr.write("Bringing the database up to date…")
        try:
            call_command("migrate", interactive=False, verbosity=0, stdout=stderr)
        except Error as error:
            raise CommandError(
                f"The database could not be brought up to date: {str(error).strip()} Run `manage.py migrate` to see "
                "which migration it is. What was applied stays, and the next start goes on from there."
            ) from error


def is_migrated() -> bool:
    """Whether the database has every migration."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def start_up_lock() -> Iterator[None]:
    """Hold the lock under which one starting process of all nodes changes the database. It isn't reentrant."""
    if connection.vendor == "postgresql":
        with closing(connections.create_connection(connection.alias)) as own:
            _lock(own)
            yield
            own.rollback()
    else:
        path = f"{connection.settings_dict['NAME']}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _lock(own: BaseDatabaseWrapper) -> None:
    """Begin a transaction that holds the lock, once no other does.

    A lock of a session would stay behind a pool that gives each transaction another connection to the server.
    """
    own.ensure_connection()
    own.set_autocommit(False)
    while True:
        with own.cursor() as cursor:
            # Tried again and again: a session that waits inside a statement would block a concurrent index build.
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
            if cursor.fetchone()[0]:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                return
        own.rollback()
        time.sleep(0.2)
