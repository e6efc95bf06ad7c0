"""In which order a transaction takes its locks, by its statements."""

import re
from collections.abc import Iterable, Iterator

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
