"""The data inventory as a page of the documentation, written from the declarations."""

from collections.abc import Iterable

from integrations.privacy.data_inventory import PROCESSING, Table, inventory
from integrations.store.columns import UNTIL_ERASED

_HEAD = """# Data inventory

For operators and data-protection officers: what the portal stores about people, table by table. *Personal data* on a
candidate's page says of one person what each column holds.

This page is written from what the models say. To write it anew:
`python3 manage.py shell -v 0 -c "from portal.devtools.data_inventory_page import page; print(page(), end='')"`.

*Until erased*: until [erasure](erasure.md) empties it, at the latest after `retention_days`. The rest of a table stays:
ids, codes, times, counts, scores, encrypted secrets, names of roles, stages and assessments.

"""

_COLUMNS = "| table | holds | columns | how long |\n|---|---|---|---|\n"


def page() -> str:
    """Return the page as Markdown."""
    tables = inventory()
    parts = [_HEAD]
    for heading, sentences in PROCESSING.items():
        parts += [f"## {heading}\n\n", *(f"- {sentence}\n" for sentence in sentences), "\n"]
    parts += ["## About candidates\n\n", _COLUMNS]
    parts += [_row(table, table.candidate) for table in tables if table.candidate]
    parts += ["\n## About people who use the portal\n\n", _COLUMNS]
    parts += [_row(table, table.user) for table in tables if table.user]
    parts += ["\nAll other tables are declared to hold no personal data.\n"]
    return "".join(parts)


def _row(table: Table, columns: Iterable[str]) -> str:
    names = ", ".join(f"`{name}`" for name in columns)
    lives = table.lives.replace(UNTIL_ERASED, "until erased")
    return f"| `{table.model._meta.label}` | {table.holds} | {names} | {lives} |\n"
