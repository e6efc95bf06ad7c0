"""Statements made of querysets' SQL, for those that are executed so often that they are compiled once."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

type Statement = tuple[str, Sequence[Any]]


def with_parts(template: str, **parts: models.QuerySet[Any, Any]) -> Statement:
    """Return the template with the SQL of its parts, which are given in the order in which they stand there."""
    compiled = {name: part.query.get_compiler(connection=connection).as_sql() for name, part in parts.items()}
    sql = template.format(**{name: text for name, (text, _) in compiled.items()})
    return sql, tuple(value for _, parameters in compiled.values() for value in parameters)
