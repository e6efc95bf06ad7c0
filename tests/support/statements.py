"""What a piece of work asks of the database: its statements, the transactions that wrote something, and their locks."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

_HEAD = re.compile(r'^UPDATE "integrations_chainhead"')
_LOCKS = re.compile(r'^(UPDATE|DELETE FROM) "(?!integrations_chainhead)')
_BEGINS = re.compile(r"^SAVEPOINT|^BEGIN")
_ENDS = re.compile(r"^(RELEASE|ROLLBACK TO) SAVEPOINT|^COMMIT|^ROLLBACK")


def taken_after_the_head(statements: Iterable[str]) -> Iterator[str]:
    """Yield the statements that lock rows although their transaction already holds the head of a chain.

    Two transactions that take the same two locks in different orders end in a deadlock on PostgreSQL.
    """
    depth, holds_head = 0, False
    for statement in statements:
        if _BEGINS.match(statement):
            depth += 1
        elif _ENDS.match(statement):
            depth -= 1
            holds_head = holds_head and depth > 0
        elif _HEAD.match(statement):
            holds_head = depth > 0
        elif holds_head and _LOCKS.match(statement):
            yield statement


_WRITES = re.compile(r'\s*(WITH\b.*)?\b(INSERT INTO|UPDATE|DELETE FROM) "', re.DOTALL)


class Statements:
    """The statements in their order, and by transaction that changed a row those that did."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.commits: list[list[str]] = []
        self._written: list[str] = []

    def note(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        """Run a statement and note it, as an execute wrapper of Django does."""
        result = execute(sql, parameters, many, context)
        if sql.startswith("BEGIN"):  # Django sends it as a statement on SQLite alone
            return result
        self.texts.append(sql)
        if _WRITES.match(sql) and context["cursor"].rowcount != 0:
            self._written.append(sql)
            if not connection.in_atomic_block:
                self.note_commit()
        return result

    def note_commit(self) -> None:
        """Note the end of a transaction."""
        if self._written:
            self.commits.append(self._written)
        self._written = []


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
