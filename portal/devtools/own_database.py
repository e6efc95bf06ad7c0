"""Databases of a run's own on a PostgreSQL server."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def create(server_url: str, name: str, template: str = "template1") -> str:
    """Create a database, as a copy of `template`, to which nobody may be connected; return its URL.

    Raises psycopg.Error.
    """
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _execute(server_url, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop(server_url: str, name: str) -> None:
    """Remove a database, even while others are connected to it. Raises psycopg.Error."""
    _execute(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(statement)
