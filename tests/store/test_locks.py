"""A lock is on the rows that it is meant for."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def locking_calls() -> Iterator[tuple[str, set[str]]]:
    """Yield each call of `select_for_update` of the product: its place, and the names of its arguments."""
    for folder in ("integrations", "portal"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                function = node.func if isinstance(node, ast.Call) else None
                if isinstance(function, ast.Attribute) and function.attr == "select_for_update":
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
                    yield place, {str(keyword.arg) for keyword in node.keywords}  # type: ignore[attr-defined]


def test_every_lock_names_its_table() -> None:
    """Without `of`, a join locks the joined rows too, and the default ordering of many models joins the organization.

    An insert of a row that refers to the organization would wait for that lock at COMMIT.
    """
    calls = dict(locking_calls())
    assert len(calls) >= 10
    assert [place for place, arguments in calls.items() if "of" not in arguments] == []
