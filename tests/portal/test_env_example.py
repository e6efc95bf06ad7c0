"""The example environment file."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented(document: str) -> list[str]:
    """Return the variables in a document's table."""
    table = (ROOT / document).read_text().partition("| variable |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]


def test_the_example_has_every_documented_variable_once() -> None:
    variables = documented("portal/docs/operating/configuration.md")
    example = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(variables) > 20
    assert sorted(example) == sorted(variables)
    assert set(documented("README.md")) < set(variables)


def test_every_variable_of_the_example_is_read_by_the_settings() -> None:
    settings = (ROOT / "portal" / "settings.py").read_text()
    for name in re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert f'"{name}"' in settings
