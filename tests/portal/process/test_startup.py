"""The static files that are collected at the start, also by several at the same moment."""

import gzip
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError

from portal.django_parts import StaticFilesStorage
from portal.process import startup

FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
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
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.devtools.settings",
        "PORTAL_ENV_FILE": os.devnull,
        "STATIC_ROOT": str(tmp_path / "static"),
    }
    with ExitStack() as stack:
        runs: list[Any] = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", COLLECT],
                    cwd=settings.BASE_DIR,
                    env=environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
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
