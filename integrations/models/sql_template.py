"""Statements made of querysets' SQL, for those that are executed so often that they are compiled once."""

from datetime import datetime
from typing import Any

from django.db import connection, models

type Parameter = str | int | float | bool | datetime | None
type Statement = tuple[str, tuple[Parameter, ...]]


def filled(template: str, **parts: models.QuerySet[Any, Any]) -> Statement:
    """Return the template with the SQL of its parts, which are given in the order in which they stand there."""
    compiled = {name: part.query.get_compiler(connection=connection).as_sql() for name, part in parts.items()}
    sql = template.format(**{name: text for name, (text, _) in compiled.items()})
    return sql, tuple(value for _, parameters in compiled.values() for value in parameters)
