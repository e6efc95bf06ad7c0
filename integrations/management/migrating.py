"""Where the portal's commands begin: a database that has every migration, and organizations by their slug."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from integrations.models import Invitation, Organization

ADVISORY_LOCK = 7_225_173_026  # any number, as long as every node of the portal uses the same one


class MigratingCommand(BaseCommand):
    """A command that applies what the database lacks before it does anything else."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Migrate quietly, saying so on standard error, then run the command."""
        migrate(OutputWrapper(options["stderr"]) if options.get("stderr") else self.stderr)
        return super().execute(*args, **options)


def migrate(stderr: OutputWrapper) -> None:
    """Apply the missing migrations; of several processes that start at once, one does and the others wait."""
    if is_migrated():
        return
    with _migration_lock():
        if is_migrated():
            return
        stderr.write("Bringing the database up to date…")
        call_command("migrate", interactive=False, verbosity=0, stdout=stderr)
        call_command("createcachetable", verbosity=0, stdout=stderr)


def is_migrated() -> bool:
    """Whether the database has every migration and the cache's table."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    cache_tables = {
        getattr(cache, "_table", "") for cache in caches.all() if isinstance(cache, BaseDatabaseCache)
    }
    return cache_tables <= set(connection.introspection.table_names())


def organizations_named(slug: str | None) -> list[Organization]:
    """Return that organization alone, or all of them without a slug. Raises CommandError for an unknown one."""
    return [organization_named(slug)] if slug else list(Organization.objects.order_by("slug"))


def organization_named(slug: str) -> Organization:
    """Return the organization with that slug. Raises CommandError, with the likeliest slug, when there is none."""
    try:
        return Organization.objects.get(slug=slug)
    except Organization.DoesNotExist:
        known = list(Organization.objects.order_by("slug").values_list("slug", flat=True))
    close = get_close_matches(slug, known, n=1, cutoff=0.5)
    if close:
        hint = f"Did you mean {close[0]}?"
    elif known:
        hint = f"There are: {', '.join(known[:20])}."
    else:
        hint = "There is none yet: make one with `manage.py configure FILE.toml`."
    raise CommandError(f"There is no organization {slug!r}. {hint}")


def invitation_with_id(invitation_id: int) -> Invitation:
    """Return that invitation with its organization. Raises CommandError when there is none."""
    invitation = Invitation.objects.select_related("organization").filter(pk=invitation_id).first()
    if invitation is None:
        raise CommandError(f"There is no invitation {invitation_id}. `export invitations` lists them.")
    return invitation


@contextmanager
def _migration_lock() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Asked again and again: a session that waits inside a statement would block a concurrent index build.
            while not _answer(cursor, "SELECT pg_try_advisory_lock(%s)"):
                time.sleep(0.2)
            try:
                yield
            finally:
                _answer(cursor, "SELECT pg_advisory_unlock(%s)")
    else:
        with Path(f"{connection.settings_dict['NAME']}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _answer(cursor: Any, statement: str) -> bool:
    cursor.execute(statement, [ADVISORY_LOCK])
    return bool(cursor.fetchone()[0])
