"""A lock is on the rows that it is meant for."""

import ast
from collections.abc import Iterator

import pytest

from tests.support import product


def locking_calls() -> Iterator[tuple[str, set[str]]]:
    """Yield each call of `select_for_update` of the product: its place, and the names of its arguments."""
    for path, module in product.modules().items():
        for node in ast.walk(module):
            match node:
                case ast.Call(func=ast.Attribute(attr="select_for_update"), keywords=keywords):
                    yield f"{path}:{node.lineno}", {str(keyword.arg) for keyword in keywords}


@pytest.mark.slow
def test_every_lock_names_its_table() -> None:
    """Without `of`, a join locks the joined rows too, and the default ordering of many models joins the organization.

    An insert of a row that refers to the organization would wait for that lock at COMMIT.
    """
    calls = dict(locking_calls())
    assert len(calls) >= 10
    assert [place for place, arguments in calls.items() if "of" not in arguments] == []
