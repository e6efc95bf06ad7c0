"""Collected style sheets hold what they import: a browser asks for one, and gets it compressed."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

#: A rule of the first and of the last file of each sheet.
RULES = {"portal.css": ("--page:", ".help-text"), "admin.css": ("--page:", ".question-group")}


@pytest.fixture
def collected(settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "portal.django_parts.StaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_a_collected_style_sheet_asks_for_no_other(collected: Path) -> None:
    for name, rules in RULES.items():
        source = find(name)
        assert source
        assert "@import" in Path(source).read_text()
        sheet = collected / staticfiles_storage.url(name).removeprefix("/static/")
        text = sheet.read_text()
        assert "@import" not in text
        assert all(rule in text for rule in rules)
        assert gzip.decompress(sheet.with_name(f"{sheet.name}.gz").read_bytes()).decode() == text
