"""The tests with the newest packages: what is installed, what is printed, and how it ends; pip and pytest are faked."""

import json
import subprocess
import sys
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

OLD = {"Django": "6.1.3", "requests": "2.34.0", "pip": "25.0"}
IN_RANGE = {"Django": "6.1.4", "requests": "2.34.0", "pip": "26.0", "urllib3": "3.0"}


class FakeRuns:
    """Plays venv, pip and pytest: each installation brings other versions, each test run another code."""

    def __init__(self, pre_release: str, codes: list[int]) -> None:
        self.installed: list[list[str]] = []
        self.tested: list[list[str]] = []
        self._states = [IN_RANGE, {**IN_RANGE, "Django": pre_release}]
        self._codes = codes

    def __call__(self, argv: list[str], **_: object) -> SimpleNamespace:
        match argv[1:]:
            case ["-m", "pip", "install", *arguments]:
                self.installed.append(arguments)
            case ["-m", "pytest", *arguments]:
                self.tested.append(arguments)
                return SimpleNamespace(returncode=self._codes.pop(0))
            case ["-m", "pip", "list", *_]:
                state = OLD if argv[0] == sys.executable else self._states[len(self.installed) - 1]
                listed = [{"name": name, "version": version} for name, version in state.items()]
                return SimpleNamespace(returncode=0, stdout=json.dumps(listed), stderr="")
        return SimpleNamespace(returncode=0, stdout="", stderr="")


def newest(monkeypatch: pytest.MonkeyPatch, runs: FakeRuns, *arguments: str) -> list[str]:
    output = StringIO()
    monkeypatch.setattr(subprocess, "run", runs)
    call_command("newest", *arguments, stdout=output)
    return [" ".join(line.split()) for line in output.getvalue().splitlines() if line]


def test_the_tests_run_with_the_newest_in_range_and_with_djangos_pre_release(monkeypatch):
    runs = FakeRuns("6.2a1", [0, 0])
    assert newest(monkeypatch, runs) == [
        "newest:",
        "django 6.1.3 → 6.1.4",
        "urllib3 – → 3.0",
        "newest: ok",
        "Django's pre-release:",
        "django 6.1.4 → 6.2a1",
        "Django's pre-release: ok",
    ]
    assert "django~=6.1.0" in runs.installed[0]
    assert any(one.startswith("pytest~=") for one in runs.installed[0])
    assert runs.installed[1][-2:] == ["--pre", "django"]
    assert runs.tested == [runs.tested[0]] * 2
    assert "not slow and not browser" in runs.tested[0]


def test_the_tests_run_once_when_django_has_no_pre_release(monkeypatch):
    runs = FakeRuns("6.1.4", [0])
    assert newest(monkeypatch, runs, "tests/http")[-1] == "Django's pre-release: there is none."
    assert runs.tested == [["tests/http"]]


def test_it_ends_with_an_error_when_a_test_fails(monkeypatch):
    with pytest.raises(CommandError, match="fail with newer packages"):
        newest(monkeypatch, FakeRuns("6.1.4", [1]))


def test_it_says_what_pip_said_when_nothing_can_be_installed(monkeypatch):
    refused = SimpleNamespace(returncode=1, stdout="", stderr="No matching distribution")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(CommandError, match="No matching distribution"):
        call_command("newest", stdout=StringIO())
