"""Look for a person in everything that the portal stores: tables, the queue's values, the cache, SQLite's files."""

import json
import pickle
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from django.core.cache import caches
from django.db import connection
from django_q.models import OrmQ, Task


def traces(*words: str) -> list[str]:
    """Return the tables and columns, and other places, in which one of the words is found, in any written form."""
    forms = {form.casefold() for word in words for form in _forms(word)}
    return sorted({place for place, text in _stored() if any(form in text.casefold() for form in forms)})


def traces_in_files(*words: str) -> list[str]:
    """Return the SQLite files in whose bytes one of the words is found; none on PostgreSQL."""
    if connection.vendor != "sqlite":
        return []
    path = str(connection.settings_dict["NAME"])
    forms = [form.encode() for word in words for form in _forms(word)]
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")]
    return [file.name for file in files if file.exists() and any(form in file.read_bytes() for form in forms)]


def _forms(word: str) -> set[str]:
    return {
        word,
        json.dumps(word)[1:-1],
        json.dumps(word, ensure_ascii=False)[1:-1],
        word.replace("@", "%40"),
    }


def _stored() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", str(value)
                    yield f"{table}.{name}", _unpickled(value)
    for task in Task.objects.all():
        yield "django_q tasks", repr((task.args, task.kwargs, task.result))
    for waiting in OrmQ.objects.all():
        yield "django_q queue", repr(waiting.task)
    for cache in caches.all():
        yield "cache", repr(getattr(cache, "_cache", ""))


def _unpickled(value: object) -> str:
    """Return what a base64 value holds, as django-q2 stores it."""
    if not isinstance(value, str) or not 8 < len(value) < 100_000:
        return ""
    try:
        return repr(pickle.loads(b64decode(value, validate=True)))
    except Exception:  # noqa: BLE001
        return ""
