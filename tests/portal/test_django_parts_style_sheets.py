"""The collected style sheet holds what it imports: a browser asks for one, and gets it compressed."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command


@pytest.fixture
def collected(settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "portal.django_parts.StaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_the_collected_style_sheet_asks_for_no_other(collected: Path) -> None:
    source = find("portal.css")
    assert source
    assert "@import" in Path(source).read_text()
    sheet = collected / staticfiles_storage.url("portal.css").removeprefix("/static/")
    text = sheet.read_text()
    assert "@import" not in text
    assert all(rule in text for rule in ("--page:", ".filter-drawer"))  # of the first file and of the last
    assert gzip.decompress(sheet.with_name(f"{sheet.name}.gz").read_bytes()).decode() == text
