"""What is about people in a table, said on the model and on its columns.

The data inventory, erasure, retention and the answer to a candidate who asks read it.
`tests/privacy/test_data_inventory.py` fails for a column of text that says nothing. Columns whose values are choices,
and encrypted ones, need not: they hold codes and secrets.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.db import models

UNTIL_ERASED = "until it is erased, at the latest after `retention_days`; ids, times and codes stay"
WITH_ORGANIZATION = "as long as the organization"
WITH_ACCOUNT = "as long as the account"
AS_LISTED = "as long as the platform lists it, and afterwards marked gone"


@dataclass(frozen=True)
class Holds:
    """What a table holds and how long its rows live: the attribute `HOLDS` of its model."""

    what: str
    lives: str
    #: The lookup from a row to the id of its opportunity, in a table with candidates' data; empty where rows belong to
    #: none.
    opportunity: str = ""


@dataclass(frozen=True)
class Personal:
    """What a column tells of a candidate, and of the people who use the portal; neither, in a harmless one."""

    candidate: str = ""
    user: str = ""


def personal(column: Any) -> Personal | None:
    """Return what was said of a column of a model; None where nothing was."""
    return getattr(column, "personal", None)


def about_candidate[Column: models.Field[Any, Any]](what: str, column: Column) -> Column:
    """Return the column, which tells this of a candidate: erasure empties it."""
    return _said(column, candidate=what)


def about_user[Column: models.Field[Any, Any]](what: str, column: Column) -> Column:
    """Return the column, which tells this of somebody who uses the portal."""
    return _said(column, user=what)


def harmless[Column: models.Field[Any, Any]](column: Column) -> Column:
    """Return the column: ids, codes, hashes, and names of the customer's roles, stages and assessments."""
    return _said(column)


def _said[Column: models.Field[Any, Any]](column: Column, **said: str) -> Column:
    column.personal = replace(personal(column) or Personal(), **said)  # type: ignore[attr-defined]
    return column
