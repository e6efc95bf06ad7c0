"""A database of the benchmark's own on a PostgreSQL server."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

#: The name of the benchmark's own database, in its environment; without it the database is a SQLite file.
DATABASE_VARIABLE = "PORTAL_BENCH_DATABASE"


def create(server_url: str) -> tuple[str, str]:
    """Create a database on the server; return its name and its URL. Raises psycopg.Error."""
    name = f"portal_bench_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return name, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop(server_url: str, name: str) -> None:
    """Remove the database, even while others are connected to it. Raises psycopg.Error."""
    with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(statement)
