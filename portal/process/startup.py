"""What the portal needs before it serves, a migrated database and static files; and its two programs."""

import fcntl
import os
import sys
import time
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import OperationalError, connection, connections

from integrations.management import migrating
from portal.process.supervisor import Program


def prepare(stderr: OutputWrapper) -> None:
    """Make everything ready to serve; no database connection is left open. Raises CommandError."""
    migrating.migrate(stderr)
    collect_static()
    connections.close_all()


def wait_for_database(seconds: float = 30.0) -> None:
    """Return when the database answers, or after so many seconds: then a check reports it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection.ensure_connection()
        except OperationalError:
            time.sleep(0.5)
        else:
            return


def collect_static() -> None:
    """Collect the static files unless their manifest exists and is newer than all of them. Raises CommandError."""
    if not hasattr(staticfiles_storage, "load_manifest") or _are_static_files_collected():
        return
    folder = Path(settings.STATIC_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _are_static_files_collected():
                call_command("collectstatic", interactive=False, verbosity=0)
    except OSError as error:
        raise CommandError(
            f"The static files can't be collected in {folder}: {error.strerror}. Give the folder to the user "
            "that runs the portal."
        ) from error


def _are_static_files_collected() -> bool:
    manifest = Path(settings.STATIC_ROOT, ManifestFilesMixin.manifest_name)
    if not manifest.exists():
        return False
    collected_at = manifest.stat().st_mtime
    sources = (Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([]))
    return all(source.stat().st_mtime <= collected_at for source in sources)


#: Many times the interval of the workers' heartbeat, and short enough to replace them within 10 seconds.
SILENT_SECONDS = 7.0


def web_server(host: str, port: int, *, is_alone: bool = False) -> Program:
    """Return the web server with its WEB_WORKERS processes; if it is alone, its probe is about workers of any node."""
    search_path = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: the present folder's files aren't modules
    argv = [sys.executable, "-P", "-m", "portal.asgi", host, str(port)]
    env = {"PYTHONPATH": search_path, **({"PORTAL_WEB_ALONE": "1"} if is_alone else {})}
    return Program("web", argv, env=env, drain_seconds=settings.DRAIN_SECONDS)


def queue_cluster() -> Program:
    """Return the queue's workers: a django-q2 cluster, replaced when none of its processes works any more."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    # else each thread has a heap of its own, which keeps what the thread has freed: 5 MiB in ten minutes of work
    heaps = {"MALLOC_ARENA_MAX": "2"}
    return Program("workers", argv, env=heaps, silent_seconds=SILENT_SECONDS)
