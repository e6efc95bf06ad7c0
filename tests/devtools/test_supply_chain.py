"""What `manage.py supply_chain` finds, without the network."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from portal.devtools.supply_chain import licences_of, read_audit, unpinned

FOLDER = settings.BASE_DIR / "portal" / "requirements"


@pytest.mark.parametrize("name", ["production.txt", "traces.txt", "development.txt", "supply_chain.txt"])
def test_every_package_is_pinned_with_a_hash(name):
    assert unpinned(FOLDER / name) == []


@pytest.mark.parametrize(
    "line",
    [
        "django",
        "django==6.1.3",
        "django>=6.1 --hash=sha256:aa",
        "-r other.txt",
        "--index-url https://packages.example",
        "git+https://code.example/django.git",
        "https://files.example/django.whl --hash=sha256:aa",
    ],
)
def test_a_package_without_version_or_hash_is_found(tmp_path: Path, line):
    path = tmp_path / "requirements.txt"
    path.write_text(
        f"# a comment\nredis[hiredis]==8.1.0 ; python_version > '3' \\\n    --hash=sha256:ab\n{line}\n"
    )
    assert unpinned(path) == [line]


def test_a_vulnerable_package_is_named_and_one_that_is_not_known_is_not_counted_as_audited():
    packages = json.loads(
        '[{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}, {"id": "PYSEC-2"}]},'
        ' {"name": "b", "version": "2", "vulns": []}, {"name": "c", "skip_reason": "not found"}]'
    )
    found = read_audit(packages)
    assert (found.vulnerable, found.audited, found.not_audited) == (["a 1: PYSEC-1, PYSEC-2"], 2, ["c"])
    assert read_audit([]).audited == 0


def test_licences_are_those_that_the_packages_state():
    assert licences_of("django") == [{"expression": "BSD-3-Clause"}] or "BSD" in str(licences_of("django"))
    assert licences_of("there-is-no-such-package") == []
