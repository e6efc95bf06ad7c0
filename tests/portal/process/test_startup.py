"""The static files that are collected at the start, also by several at the same moment."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from portal.django_parts import StaticFilesStorage
from portal.process import startup
from tests.support.at_once import run_at_once

FILES = {
    "portal.css": '@import url("css/first.css");\n@import url("css/last.css");\n',
    "css/first.css": ":root { --page: white; }\n",
    "css/last.css": ".filter-drawer { margin: 0; }\n" * 100,
    "portal.js": "",
}


@pytest.fixture
def package(tmp_path: Path, settings: Any) -> Path:
    """The folder of the static files, which are collected into the folder `collected` beside it."""
    package = tmp_path / "package"
    (package / "css").mkdir(parents=True)
    for name, text in FILES.items():
        (package / name).write_text(text)
    settings.STATIC_ROOT, settings.STATICFILES_DIRS = str(tmp_path / "collected"), [package]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {"staticfiles": {"BACKEND": "portal.django_parts.StaticFilesStorage"}}
    return package


@pytest.fixture
def storage(package: Path, monkeypatch: pytest.MonkeyPatch) -> StaticFilesStorage:
    storage = StaticFilesStorage()
    monkeypatch.setattr(startup, "staticfiles_storage", storage)
    return storage


def test_several_at_once_collect_one_style_sheet_that_is_compressed(
    storage: StaticFilesStorage, tmp_path: Path
) -> None:
    assert run_at_once(startup.collect_static, times=3) == []
    sheet = tmp_path / "collected" / storage.hashed_files["portal.css"]
    assert sheet.read_text() == FILES["css/first.css"] + "\n" + FILES["css/last.css"] + "\n"
    assert gzip.decompress(sheet.with_name(f"{sheet.name}.gz").read_bytes()) == sheet.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"package", "collected", "collected.lock"}


def test_a_file_that_the_manifest_does_not_name_is_collected_however_old_it_is(
    storage: StaticFilesStorage, package: Path, tmp_path: Path
) -> None:
    (package / "portal.js").rename(tmp_path / "later.js")
    startup.collect_static()
    assert set(storage.hashed_files) == {*FILES} - {"portal.js"}
    (tmp_path / "later.js").rename(package / "portal.js")
    startup.collect_static()
    assert set(storage.hashed_files) == {*FILES}


def test_a_folder_for_static_files_that_cannot_be_written_is_a_sentence(monkeypatch, settings) -> None:
    settings.STATIC_ROOT = "/proc/static"
    monkeypatch.setattr(startup, "staticfiles_storage", StaticFilesStorage())
    with pytest.raises(CommandError, match="Give the folder to the user"):
        startup.collect_static()
