"""What a piece of work asks of the database: its statements, and the transactions that wrote something."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH RECURSIVE)\b")


class Statements:
    """The statements in their order, and how many transactions were committed that changed a row."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.commits = 0
        self._has_written = False

    def note(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        """Run a statement and note it, as an execute wrapper of Django does."""
        result = execute(sql, parameters, many, context)
        if sql.startswith("BEGIN"):  # Django sends it as a statement on SQLite alone
            return result
        self.texts.append(sql)
        if _WRITES.match(sql) and context["cursor"].rowcount != 0:
            self._has_written = True
            if not connection.in_atomic_block:
                self.note_commit()
        return result

    def note_commit(self) -> None:
        """Note the end of a transaction."""
        self.commits += self._has_written
        self._has_written = False

    def of(self, *beginnings: str) -> list[str]:
        """Return the statements that begin with one of these."""
        return [text for text in self.texts if text.lstrip().startswith(beginnings)]


@contextmanager
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """Note what this thread's connection is asked; the test has to be one with transactions of its own."""
    statements = Statements()
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def note_and_commit(wrapper: BaseDatabaseWrapper) -> Any:
        result = commit(wrapper)
        statements.note_commit()
        return result

    with monkeypatch.context() as patch, connection.execute_wrapper(statements.note):
        patch.setattr(BaseDatabaseWrapper, "_commit", note_and_commit)
        yield statements
