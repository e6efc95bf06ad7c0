"""The lists in portal/requirements."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pinned_versions(name: str) -> dict[str, str]:
    """Return the version of each package in a list."""
    text = (ROOT / "portal" / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z][a-z0-9-]*)==(\S+)", text, re.MULTILINE))


def test_the_lists_are_pinned_hashed_and_name_no_host() -> None:
    for name, least in (("production", 10), ("demo", 1), ("development", 60)):
        text = (ROOT / "portal" / "requirements" / f"{name}.txt").read_text()
        pinned = pinned_versions(name)
        assert len(pinned) > least
        assert len(re.findall(r"^[^#\s]", text, re.MULTILINE)) == len(pinned)
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text
        assert "index-url" not in text


def test_a_production_install_holds_no_development_package() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        development = tomllib.load(file)["dependency-groups"]["dev"]
    named = [requirement for requirement in development if isinstance(requirement, str)]
    names = {re.split(r"[^A-Za-z0-9-]", requirement)[0] for requirement in named}
    assert {"pytest", "mypy", "schemathesis"} <= names
    assert not names & pinned_versions("production").keys()


def test_the_development_list_has_the_pins_of_what_is_deployed_and_of_the_demo() -> None:
    assert pinned_versions("production").items() <= pinned_versions("development").items()
    assert pinned_versions("demo").items() <= pinned_versions("development").items()
    assert not pinned_versions("demo").keys() & pinned_versions("production").keys()
