"""The example of how a table changes while the portal serves keeps the rules, and can be undone."""

from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader

from portal.devtools.test_suites import DATABASE_URL
from portal.devtools.upgrades import problems
from tests.devtools.chaos.runs import run_chaos

RELEASE = "portal.devtools.upgrade_rehearsal.contract.migrations"


def test_its_migrations_hold_nobody_up(settings) -> None:
    settings.MIGRATION_MODULES = {"integrations": RELEASE}
    loaded = MigrationLoader(None).disk_migrations
    own = [one for (app, _), one in loaded.items() if app == "integrations"]
    assert len(own) == 7
    assert problems(own) == []


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.postgres
@pytest.mark.proxies
def test_no_webhook_is_refused_while_two_nodes_are_upgraded_and_taken_back(tmp_path: Path) -> None:
    table = run_chaos(tmp_path / "log", "--upgrade", "600", "--database-url", DATABASE_URL, seconds=900)
    assert (table["invited_twice"], table["lost"], table["wrong_answers"], table["uncertain"]) == (0, 0, 0, 0)
    assert table["answers"]["202"] >= table["moved"] > 0
    assert table["rows_filled"] > 20_000
