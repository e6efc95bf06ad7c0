"""Brings the database and the static files up to date before anything serves them; two at once are fine."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor

ADVISORY_LOCK = 7_225_173_026  # any number, as long as every node of the portal uses the same one


def wait_for_database(seconds: float = 30.0) -> None:
    """Return once the database answers; it may be starting beside us. Raises CommandError if it doesn't."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise CommandError(f"The database doesn't answer. Check DATABASE_URL. ({error})") from error
            time.sleep(0.5)
        else:
            return


def migrate() -> None:
    """Apply what the database lacks; of several nodes starting at once, one does and the others wait."""
    if is_migrated():
        return
    with _migration_lock():
        if not is_migrated():
            call_command("createcachetable", verbosity=0)
            call_command("migrate", interactive=False, verbosity=0)


def is_migrated() -> bool:
    """Whether the database has every migration and the cache's table."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    cache_tables = {
        cache["LOCATION"] for cache in settings.CACHES.values() if cache["BACKEND"].endswith(".DatabaseCache")
    }
    return cache_tables <= set(connection.introspection.table_names())


def collect_static() -> None:
    """Collect the static files if one is newer than the manifest that was made of them, or there is none."""
    if not hasattr(staticfiles_storage, "load_manifest") or _are_static_files_collected():
        return
    folder = Path(settings.STATIC_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    with _file_lock(folder.with_name(f"{folder.name}.lock")):
        if not _are_static_files_collected():
            call_command("collectstatic", interactive=False, verbosity=0)


def _are_static_files_collected() -> bool:
    manifest = Path(settings.STATIC_ROOT, ManifestFilesMixin.manifest_name)
    if not manifest.exists():
        return False
    made = manifest.stat().st_mtime
    sources = (Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([]))
    return all(source.stat().st_mtime <= made for source in sources)


@contextmanager
def _migration_lock() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Asking again and again: a session that waits inside a statement would block a concurrent index build.
            while not _answer(cursor, "SELECT pg_try_advisory_lock(%s)"):
                time.sleep(0.5)
            try:
                yield
            finally:
                _answer(cursor, "SELECT pg_advisory_unlock(%s)")
    else:
        database = connections[DEFAULT_DB_ALIAS]
        if isinstance(database, SQLite) and not database.is_in_memory_db():
            with _file_lock(Path(f"{database.settings_dict['NAME']}.lock")):
                yield
        else:
            yield


def _answer(cursor: CursorWrapper, question: str) -> bool:
    cursor.execute(question, [ADVISORY_LOCK])
    row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
