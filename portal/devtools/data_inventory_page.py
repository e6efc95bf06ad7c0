"""The data inventory as a page of the documentation, written from the declarations."""

from integrations.privacy import data_inventory
from integrations.privacy.data_inventory import Table, inventory

_HEAD = """# Data inventory

What the portal stores about people, table by table. This page is written from what the models say and from
`integrations/privacy/data_inventory.py`, and a test fails when they differ or when a column of text is missing. To
write it anew:
`python3 manage.py shell -v 0 -c "from portal.devtools.data_inventory_page import page; print(page(), end='')"`.

*About candidates*: erased when the candidate is deleted or anonymized in Lever, when Lever no longer has them, by
`manage.py forget`, and after `retention_days` ([erasure](erasure.md)). *About people who use the portal*: as long as
their account. Everything else in a table is ids, codes, times, counts, scores, secrets (encrypted), and the names of
the customer's own roles, stages and assessments.

"""


_PROCESSING = (
    ("Why candidates' data is processed", data_inventory.PURPOSES),
    ("Who gets it, and keeps it when the portal erases", data_inventory.RECIPIENTS),
    ("Where it comes from", data_inventory.SOURCES),
)


def page() -> str:
    """Return the page as Markdown."""
    with_people = [table for table in inventory() if table.candidate or table.user]
    without = [table for table in inventory() if not (table.candidate or table.user)]
    parts = [_HEAD]
    for heading, sentences in _PROCESSING:
        parts += [f"## {heading}\n\n", *(f"- {sentence}\n" for sentence in sentences), "\n"]
    parts += ["## Tables with personal data\n"]
    parts += [_section(table) for table in with_people]
    parts += ["\n## Tables without personal data\n\n| table | holds | how long |\n|---|---|---|\n"]
    parts += [f"| `{table.model._meta.label}` | {table.holds} | {table.lives} |\n" for table in without]
    return "".join(parts)


def _section(table: Table) -> str:
    lines = [f"\n### {table.model._meta.label}\n\nHolds {table.holds}. How long: {table.lives}.\n\n"]
    lines += ["| column | about | what |\n|---|---|---|\n"]
    for about, columns in (("candidates", table.candidate), ("people who use the portal", table.user)):
        lines += [f"| `{name}` | {about} | {what} |\n" for name, what in columns.items()]
    return "".join(lines)
