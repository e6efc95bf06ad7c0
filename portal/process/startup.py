"""What the portal needs before it serves, a migrated database and static files; and its two programs."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import OperationalError, connection, connections
from django.utils.module_loading import import_string

from integrations.management import migrating
from portal.process import supervisor
from portal.process.supervisor import HANDED_OVER, Program


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
    storage: Any = staticfiles_storage  # one with a manifest isn't what its type says
    if not hasattr(storage, "load_manifest"):
        return
    folder = Path(settings.STATIC_ROOT)
    try:
        if not _are_static_files_collected(storage):
            folder.mkdir(parents=True, exist_ok=True)
            with folder.with_name(f"{folder.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _are_static_files_collected(storage):
                    _collect_beside(folder)
    except OSError as error:
        raise CommandError(
            f"The static files can't be collected in {folder}: {error.strerror}. Give the folder to the user "
            "that runs the portal."
        ) from error
    # another process may have collected them since this one read the manifest
    storage.hashed_files, storage.manifest_hash = storage.load_manifest()


def _collect_beside(folder: Path) -> None:
    """Collect into a folder of its own, then put each file in its place, and the manifest, which names them, last."""
    command = collectstatic.Command()
    with TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as beside:
        command.storage = import_string(settings.STORAGES["staticfiles"]["BACKEND"])(location=beside)
        call_command(command, interactive=False, verbosity=0)
        files = [path.relative_to(beside) for path in Path(beside).rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda file: file.name == ManifestFilesMixin.manifest_name):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            Path(beside, file).replace(folder / file)


def _are_static_files_collected(storage: Any) -> bool:
    """Whether the manifest names all files, as they are now; those of a package may be older than the manifest."""
    collected, _ = storage.load_manifest()
    if not collected:
        return False
    collected_at = Path(settings.STATIC_ROOT, ManifestFilesMixin.manifest_name).stat().st_mtime
    return all(
        name in collected and Path(source.path(name)).stat().st_mtime <= collected_at
        for finder in get_finders()
        for name, source in finder.list([])
    )


def web_server(host: str, port: int, *, is_alone: bool = False) -> Program:
    """Return the web server with its WEB_WORKERS processes; if it is alone, its probe is about workers of any node."""
    search_path = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])])
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    argv = [sys.executable, "-P", "-m", "gunicorn", "--chdir", str(settings.BASE_DIR), "--bind", address]
    argv += ["--config", "python:portal.web_server", "portal.wsgi"]
    return Program(
        "web", argv, {"PYTHONPATH": search_path, **({"PORTAL_WEB_ALONE": "1"} if is_alone else {})}
    )


def queue_cluster() -> Program:
    """Return the queue's workers: a django-q2 cluster, which ends when none of its processes works any more."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"]
    # else each thread has a heap of its own, which keeps what the thread has freed: 5 MiB in ten minutes of work
    return Program("workers", argv, {"MALLOC_ARENA_MAX": "2"})


#: How the supervisor writes its few lines, as `portal.logs` does: they hold no secret and no quotation mark.
LOG_FORMATS = {
    "text": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    "json": '{"time": "%(asctime)s", "level": "%(levelname)s", "logger": "%(name)s", "message": "%(message)s"}',
}


def supervise(programs: Sequence[Program]) -> NoReturn:
    """Replace this process by a supervisor of the programs, which has nothing else in its memory."""
    log = {"level": settings.LOG_LEVEL, "format": LOG_FORMATS[settings.LOG_FORMAT]}
    os.environ[HANDED_OVER] = json.dumps({"log": log, "programs": [asdict(program) for program in programs]})
    # under the same id
    os.execv(sys.executable, [sys.executable, "-P", "-m", supervisor.__name__])  # noqa: S606
