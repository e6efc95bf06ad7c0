"""What nodes write when they start at the same moment."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError
from psycopg import sql

from integrations.queue.models.nodes import PortalDuty
from portal.devtools import test_suites
from portal.django_parts import StaticFilesStorage
from portal.process import startup

NODES = 3
FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
#: Prepares a node; each step that several nodes might do at the same moment begins when it is told to.
PREPARE = """
import django, sys
django.setup()
from django.core.management.base import OutputWrapper
from integrations.management import migrating
from integrations.queue.duties import perform_portal_duties
from portal.process import startup

migrate = migrating.migrate

def wait_for_the_others():
    print("waiting", flush=True)
    sys.stdin.readline()

def migrate_in_lockstep(stderr):
    migrate(stderr)
    wait_for_the_others()

migrating.migrate = migrate_in_lockstep
startup.collect_static = lambda: None
wait_for_the_others()
startup.prepare(OutputWrapper(sys.stderr))
perform_portal_duties()
"""


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = sql.Identifier(f"test_start_up_{os.getpid()}")
    with psycopg.connect(test_suites.DATABASE_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield f"{test_suites.DATABASE_URL.rpartition('/')[0]}/test_start_up_{os.getpid()}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.mark.slow
@pytest.mark.postgres
def test_nodes_that_start_at_once_migrate_and_write_each_row_once(empty_database: str) -> None:
    with ExitStack() as stack:
        nodes: list[Any] = [
            stack.enter_context(_start(PREPARE, "portal.settings", DATABASE_URL=empty_database))
            for _ in range(NODES)
        ]
        for _ in ("migrate", "do what is due"):
            assert [node.stdout.readline() for node in nodes] == ["waiting\n"] * NODES
            for node in nodes:
                node.stdin.write("\n")
                node.stdin.flush()
        assert [node.wait(60) for node in nodes] == [0] * NODES
    with psycopg.connect(empty_database) as database:
        names = [name for (name,) in database.execute("SELECT name FROM integrations_portalduty")]
    assert sorted(names) == sorted(PortalDuty.Name.values)


def _start(script: str, settings_module: str, **variables: str) -> "subprocess.Popen[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {
        "DJANGO_SETTINGS_MODULE": settings_module,
        "PORTAL_ENV_FILE": os.devnull,
        "SECRET_KEY": "0123456789" * 6,
    }
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=environ | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


#: Reads the manifest, which isn't there yet; then collects at the same moment as others, and looks a file up.
COLLECT = """
import django, sys
django.setup()
from django.contrib.staticfiles.storage import staticfiles_storage
from portal.process import startup

assert staticfiles_storage.hashed_files == {}
print("waiting", flush=True)
sys.stdin.readline()
startup.collect_static()
print(staticfiles_storage.url("portal.css"))
"""


@pytest.mark.slow
def test_two_first_runs_at_once_in_one_checkout_both_find_the_static_files(tmp_path: Path) -> None:
    developers = "portal.devtools.settings"
    with ExitStack() as stack:
        runs: list[Any] = [
            stack.enter_context(_start(COLLECT, developers, STATIC_ROOT=str(tmp_path / "static")))
            for _ in range(2)
        ]
        assert [run.stdout.readline() for run in runs] == ["waiting\n"] * 2
        for run in runs:
            run.stdin.write("\n")
            run.stdin.flush()
        urls = {run.stdout.read() for run in runs}
        assert [run.wait(60) for run in runs] == [0, 0]
    (url,) = urls
    sheet = tmp_path / url.strip().removeprefix("/")
    text = sheet.read_text()
    assert "@import" not in text, "a browser asks for one style sheet, and gets it compressed"
    assert all(rule in text for rule in ("--page:", ".filter-drawer"))  # of the first file and of the last
    assert gzip.decompress(sheet.with_name(f"{sheet.name}.gz").read_bytes()).decode() == text
    assert {path.name for path in tmp_path.iterdir()} == {"static", "static.lock"}


def test_a_file_that_the_manifest_does_not_name_is_collected_however_old_it_is(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    package, collected = tmp_path / "package", tmp_path / "collected"
    package.mkdir()
    for name in ("portal.css", "first.js", "second.js"):
        (package / name).touch()
    settings.STATIC_ROOT, settings.STATICFILES_DIRS, settings.STATICFILES_FINDERS = (
        str(collected),
        [package],
        FINDERS,
    )
    settings.STORAGES = {"staticfiles": {"BACKEND": "portal.django_parts.StaticFilesStorage"}}
    storage = StaticFilesStorage()
    monkeypatch.setattr(startup, "staticfiles_storage", storage)
    (package / "second.js").rename(tmp_path / "later.js")
    startup.collect_static()
    assert set(storage.hashed_files) == {"portal.css", "first.js"}
    (tmp_path / "later.js").rename(package / "second.js")
    startup.collect_static()
    assert set(storage.hashed_files) == {"portal.css", "first.js", "second.js"}


def test_a_folder_for_static_files_that_cannot_be_written_is_a_sentence(monkeypatch, settings) -> None:
    settings.STATIC_ROOT = "/proc/static"
    monkeypatch.setattr(startup, "staticfiles_storage", StaticFilesStorage())
    with pytest.raises(CommandError, match="Give the folder to the user"):
        startup.collect_static()
