"""The SQLite file and what is written beside it are readable by their owner alone."""

import os
import stat

import pytest

from portal.process.sqlite_backend import base
from portal.process.sqlite_backend.base import DatabaseWrapper

pytestmark = pytest.mark.django_db


@pytest.fixture
def loose_umask():
    former = os.umask(0o000)
    yield
    os.umask(former)


@pytest.fixture
def connect(tmp_path):
    """Return a function that connects to a database in the folder, writes, and returns the connection."""
    opened = []

    def make(name="portal.sqlite3"):
        connection = DatabaseWrapper(
            {
                "ENGINE": "portal.process.sqlite_backend",
                "NAME": str(tmp_path / name),
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
                "TIME_ZONE": None,
                "CONN_HEALTH_CHECKS": False,
                "CONN_MAX_AGE": 0,
                "AUTOCOMMIT": True,
            }
        )
        opened.append(connection)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS t (a)")
            cursor.execute("INSERT INTO t VALUES (1)")
        return connection

    yield make
    for connection in opened:
        connection.close()


def modes(folder) -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in sorted(folder.iterdir())}


def test_a_new_database_is_its_owners_alone_whatever_the_umask(connect, tmp_path, loose_umask):
    connect()
    assert modes(tmp_path) == {
        "portal.sqlite3": "0o600",
        "portal.sqlite3-shm": "0o600",
        "portal.sqlite3-wal": "0o600",
    }


def test_an_existing_database_is_corrected_with_a_message(connect, tmp_path, loose_umask, caplog):
    connect()
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    connect()
    assert set(modes(tmp_path).values()) == {"0o600"}
    assert "could be read by others" in caplog.text
    caplog.clear()
    connect()
    assert caplog.text == ""


def test_a_file_of_somebody_else_is_named_with_the_fix(tmp_path, monkeypatch, caplog):
    path = tmp_path / "portal.sqlite3"
    path.touch(0o644)
    path.chmod(0o644)

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.chmod", refuse)
    base.make_private(str(path))
    assert "chmod 600" in caplog.text


@pytest.mark.parametrize("name", ["", ":memory:", "file:x?mode=memory", "/nowhere/at/all/portal.sqlite3"])
def test_what_is_no_file_is_left_alone(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base.make_private(name)
    assert list(tmp_path.iterdir()) == []
