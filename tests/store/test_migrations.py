"""Migrations make what the models state, can be reversed and applied again, and leave the same tables."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from integrations.organizations.models.organization import Organization
from tests.support import factories

#: What PostgreSQL says of the portal's tables: their columns, constraints, indexes and triggers.
DESCRIPTION = """
WITH tables AS (SELECT oid, relname FROM pg_class WHERE relname LIKE 'integrations%' AND relkind = 'r')
SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull::text, attidentity, attgenerated,
    attcollation::text, pg_get_expr(adbin, adrelid)
  FROM pg_attribute JOIN tables ON attrelid = tables.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT relname, conname, pg_get_constraintdef(pg_constraint.oid), '', '', '', '', ''
  FROM pg_constraint JOIN tables ON conrelid = tables.oid
UNION ALL
SELECT relname, indexrelid::regclass::text, pg_get_indexdef(indexrelid), '', '', '', '', ''
  FROM pg_index JOIN tables ON indrelid = tables.oid
UNION ALL
SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid), '', '', '', '', ''
  FROM pg_trigger JOIN tables ON tgrelid = tables.oid WHERE NOT tgisinternal
"""


def _tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("integrations_")}


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_every_migration_is_reversed_and_applied_again() -> None:
    before = _tables()
    assert before
    try:
        call_command("migrate", "integrations", "zero", verbosity=0)
        assert not _tables()
    finally:
        call_command("migrate", "integrations", verbosity=0)
    assert _tables() == before
    organization = factories.OrganizationFactory.create()
    assert Organization.objects.get() == organization


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database beside the tests' own."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'migrated.sqlite3'}"
        return
    name = f"{connection.settings_dict['NAME']}_migrated"
    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        administrator.execute(f'DROP DATABASE "{name}"')


def _description(cursor: Any) -> set[tuple[str, ...]]:
    """Return what the database says of the portal's tables, whatever the order of their columns."""
    if connection.vendor == "postgresql":
        cursor.execute(DESCRIPTION)
        return {tuple(row) for row in cursor.fetchall()}
    cursor.execute(
        "SELECT tbl_name, name, sql FROM sqlite_master WHERE tbl_name LIKE 'integrations%' AND sql <> ''"
    )
    return {(table, name, part) for table, name, sql in cursor.fetchall() for part in _parts(sql)}


def _parts(statement: str) -> list[str]:
    """Return a table's columns and constraints, a trigger's condition in its terms, or the whole statement."""
    if statement.startswith("CREATE TRIGGER"):
        return sorted(re.split(r" AND |[()]", statement))
    if not statement.startswith("CREATE TABLE"):
        return [statement]
    return re.split(r", (?=\"|CONSTRAINT)", statement.partition("(")[2].removesuffix(")"))


@pytest.mark.slow
@pytest.mark.django_db
def test_the_migrations_make_what_the_models_state(new_database: str) -> None:
    environ = {**os.environ, "PORTAL_ENV_FILE": os.devnull, "DATABASE_URL": new_database}
    environ |= {"SECRET_KEY": "0123456789" * 6, "FIELD_ENCRYPTION_KEYS": "x" * 43 + "="}
    argv = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(argv, cwd=settings.BASE_DIR, env=environ, check=True)
    with connection.cursor() as cursor:
        stated = _description(cursor)
    if connection.vendor == "postgresql":
        with psycopg.connect(new_database) as migrated:
            made = _description(migrated.cursor())
    else:
        with closing(sqlite3.connect(new_database.removeprefix("sqlite:///"))) as migrated:
            made = _description(migrated.cursor())
    assert len(stated) > 500
    assert sorted(made - stated) == []
    assert sorted(stated - made) == []
