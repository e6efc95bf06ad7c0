"""The example environment file and the tables of variables say what is read, and each default."""

import re
from pathlib import Path

from portal.settings import env

ROOT = Path(__file__).resolve().parents[2]
#: Their defaults follow from the machine, the checkout or another variable, or are words.
IN_WORDS = {"WEB_WORKERS", "Q_WORKERS", "DATABASE_URL", "REDIS_URL", "LEVER_AUDIENCE"}


def documented(document: str) -> dict[str, str]:
    """Return the variables in a document's table, each with its default where the table has it as a value."""
    table = (ROOT / document).read_text().partition("| variable |")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for row in [row.split("|") for row in table.splitlines() if row.startswith("| `")]:
        names = re.findall(r"`([A-Z_]+)`", row[1])
        defaults = [part.strip().strip("`") for part in row[-2].split(",")]
        found |= dict(zip(names, defaults if len(defaults) == len(names) else [""] * len(names), strict=True))
    return found


def written(value: str) -> str:
    """Return a default as people write it."""
    return value.removesuffix(".0") if value else "unset"


def test_the_tables_have_the_variables_that_the_settings_read_with_their_defaults() -> None:
    table = documented("portal/docs/operating/configuration.md")
    assert set(table) == set(env.checks)
    assert set(documented("README.md")) < set(table)
    in_words = {name for name, default in table.items() if " " in default or default in {"", "console"}}
    given = {name: default for name, default in table.items() if name not in in_words | IN_WORDS}
    assert given == {name: written(env.defaults[name]) for name in given}
    assert len(given) > 10


def test_the_example_has_each_variable_once_with_its_default_and_the_passwords_of_compose() -> None:
    of_compose = set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yaml").read_text()))
    lines = re.findall(r"^(# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(name for _, name, _ in lines) == sorted([*env.checks, *of_compose])
    commented = {name: value for mark, name, value in lines if mark and name not in IN_WORDS | of_compose}
    assert commented == {name: env.defaults[name].removesuffix(".0") for name in commented}
