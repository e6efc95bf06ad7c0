"""A migration beside a portal that serves waits briefly for its lock, says so, and is tried again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from portal.devtools.processes import wait_until
from tests.portal.process.test_startup import empty_database

__all__ = ["empty_database"]
pytestmark = [pytest.mark.postgres, pytest.mark.slow]

FILES = {
    "parcels/__init__.py": "",
    "parcels/migrations/__init__.py": "",
    "parcels/migrations/0001_initial.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Parcel", [("id", models.BigAutoField(primary_key=True))])]
""",
    "parcels/migrations/0002_weight.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]
    operations = [migrations.AddField("Parcel", "weight", models.IntegerField(null=True))]
""",
    "parcel_settings.py": """
from portal.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "parcels"]
""",
}


@pytest.fixture
def environ(tmp_path: Path, empty_database: str) -> dict[str, str]:
    """The environment of a portal that has one more app, with a second migration that isn't applied yet."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return variables | {
        "DJANGO_SETTINGS_MODULE": "parcel_settings",
        "PYTHONPATH": str(tmp_path),
        "PORTAL_ENV_FILE": os.devnull,
        "SECRET_KEY": "0123456789" * 6,
        "DATABASE_URL": empty_database,
    }


def migrate(environ: dict[str, str], says: Path, *arguments: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "django", "migrate", "--skip-checks", "parcels", *arguments]
    with says.open("wb") as output:
        return subprocess.Popen(argv, cwd=settings.BASE_DIR, env=environ, stdout=output)


def test_a_migration_whose_lock_is_held_lets_others_through_and_goes_on_once_it_is_free(
    environ: dict[str, str], tmp_path: Path
) -> None:
    says = tmp_path / "output"
    migrate(environ, says, "0001").wait(timeout=120)
    address = environ["DATABASE_URL"]
    with psycopg.connect(address, application_name="a backup") as reader:
        reader.execute("SELECT * FROM parcels_parcel")
        waiting = migrate(environ, says)
        with psycopg.connect(address, autocommit=True) as writer:

            def is_waiting() -> bool:
                query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
                return bool((writer.execute(query).fetchone() or [0])[0])

            wait_until(is_waiting, 60, "the migration didn't begin")
            began = time.monotonic()
            writer.execute("INSERT INTO parcels_parcel DEFAULT VALUES")
            assert time.monotonic() - began < 4
        wait_until(
            lambda: "It is tried again" in says.read_text(), 60, "the migration didn't say that it waits"
        )
        assert waiting.poll() is None
        reader.rollback()
        assert waiting.wait(timeout=60) == 0
    said = says.read_text()
    assert "parcels.0002_weight: a lock time-out. It is tried again in 5 s." in said
    with psycopg.connect(address) as after:
        assert after.execute("SELECT id, weight FROM parcels_parcel").fetchall() == [(1, None)]
