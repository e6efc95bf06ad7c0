"""A migration that would hold up a portal that serves is told before its release; the example keeps the rules."""

from pathlib import Path

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from portal.devtools.test_suites import DATABASE_URL
from portal.devtools.upgrades import problems
from tests.devtools.chaos.runs import run_chaos

ADD_TO_EFFECT = migrations.AddField("Effect", "weight", models.IntegerField(null=True))
ADD_TO_DELIVERY = migrations.AddField("Delivery", "weight", models.IntegerField(null=True))
CODE = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)
CODE_FOR_EVER = migrations.RunPython(migrations.RunPython.noop)
NEW_TABLE = migrations.CreateModel("Effect", [("id", models.AutoField(primary_key=True))])
INDEX = models.Index(fields=["weight"], name="by_weight")
CHECK = models.CheckConstraint(condition=models.Q(weight__gt=0), name="weighs")


def migration(*operations, name: str = "0002_weight", atomic: bool = True) -> migrations.Migration:
    kind = type("Migration", (migrations.Migration,), {"operations": list(operations), "atomic": atomic})
    made: migrations.Migration = kind(name, "integrations")
    return made


@pytest.mark.parametrize(
    ("operations", "atomic", "told"),
    [
        ([ADD_TO_EFFECT, migrations.RemoveField("effect", "kind")], True, []),
        (
            [ADD_TO_EFFECT, ADD_TO_DELIVERY],
            True,
            ["integrations.0002_weight: it changes delivery and effect in one transaction"],
        ),
        ([ADD_TO_EFFECT], False, []),
        ([ADD_TO_EFFECT, ADD_TO_EFFECT], False, ["can't be tried again half-way"]),
        ([CODE], False, []),
        ([CODE], True, ["locks every row"]),
        ([ADD_TO_EFFECT, CODE], True, ["in one transaction", "locks every row"]),
        ([CODE_FOR_EVER], False, ["can't be undone"]),
        ([migrations.AddIndex("Effect", INDEX)], True, ["Use AddIndexConcurrently"]),
        ([AddIndexConcurrently("Effect", INDEX)], False, []),
        ([NEW_TABLE, migrations.AddIndex("Effect", INDEX)], True, []),
        ([migrations.AddConstraint("Effect", CHECK)], True, ["Use AddConstraintNotValid"]),
        ([AddConstraintNotValid("Effect", CHECK)], True, []),
        ([migrations.AddField("Effect", "weight", models.IntegerField(default=1))], True, ["Say null=True"]),
        ([migrations.AddField("Effect", "weight", models.IntegerField(db_default=1))], True, []),
    ],
)
def test_what_holds_up_or_cannot_be_undone_is_told(operations, atomic, told):
    found = problems([migration(*operations, atomic=atomic)])
    assert len(found) == len(told)
    assert [words for words in told if words not in " ".join(found)] == [], found


def test_the_first_migration_is_left_out_since_nothing_ran_before_it():
    assert problems([migration(ADD_TO_EFFECT, ADD_TO_DELIVERY, name="0001_initial")]) == []


# the example of how a table changes while the portal serves


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
