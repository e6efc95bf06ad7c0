"""The example environment file."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_has_every_variable_of_the_readme_once() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme.partition("| variable | meaning | default |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    example = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(documented) > 20
    assert sorted(example) == sorted(documented)


def test_every_variable_of_the_example_is_read_by_the_settings() -> None:
    settings = (ROOT / "portal" / "settings.py").read_text()
    for name in re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert f'"{name}"' in settings
