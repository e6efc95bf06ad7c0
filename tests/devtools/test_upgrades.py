"""A migration that would hold up a portal that serves is told before it is released."""

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models

from portal.devtools.upgrades import problems

ADD_TO_EFFECT = migrations.AddField("Effect", "weight", models.IntegerField(null=True))
ADD_TO_DELIVERY = migrations.AddField("Delivery", "weight", models.IntegerField(null=True))


def migration(*operations, name: str = "0002_weight", atomic: bool = True) -> migrations.Migration:
    kind = type("Migration", (migrations.Migration,), {"operations": list(operations), "atomic": atomic})
    made: migrations.Migration = kind(name, "integrations")
    return made


def test_one_table_in_a_transaction_is_in_order():
    assert problems([migration(ADD_TO_EFFECT, migrations.RemoveField("effect", "kind"))]) == []


def test_two_tables_in_one_transaction_are_told():
    [problem] = problems([migration(ADD_TO_EFFECT, ADD_TO_DELIVERY)])
    assert "integrations.0002_weight: it changes delivery and effect in one transaction" in problem


def test_code_that_may_change_any_table_is_a_migration_of_its_own():
    code = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)
    assert problems([migration(code, atomic=False)]) == []
    assert any("in one transaction" in one for one in problems([migration(ADD_TO_EFFECT, code)]))


def test_two_operations_without_a_transaction_are_told():
    assert problems([migration(ADD_TO_EFFECT, atomic=False)]) == []
    [problem] = problems([migration(ADD_TO_EFFECT, ADD_TO_EFFECT, atomic=False)])
    assert "can't be tried again half-way" in problem


def test_the_first_migration_is_left_out_since_nothing_ran_before_it():
    assert problems([migration(ADD_TO_EFFECT, ADD_TO_DELIVERY, name="0001_initial")]) == []


CODE = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)
INDEX = models.Index(fields=["weight"], name="by_weight")
CHECK = models.CheckConstraint(condition=models.Q(weight__gt=0), name="weighs")


@pytest.mark.parametrize(
    ("operation", "atomic", "problem"),
    [
        (CODE, True, "locks every row"),
        (migrations.RunPython(migrations.RunPython.noop), False, "can't be undone"),
        (migrations.AddIndex("Effect", INDEX), True, "Use AddIndexConcurrently"),
        (AddIndexConcurrently("Effect", INDEX), False, ""),
        (migrations.AddConstraint("Effect", CHECK), True, "Use AddConstraintNotValid"),
        (AddConstraintNotValid("Effect", CHECK), True, ""),
        (migrations.AddField("Effect", "weight", models.IntegerField(default=1)), True, "Say null=True"),
        (migrations.AddField("Effect", "weight", models.IntegerField(db_default=1)), True, ""),
    ],
)
def test_what_holds_up_or_cannot_be_undone_is_told(operation, atomic, problem):
    found = problems([migration(operation, atomic=atomic)])
    assert len(found) == bool(problem)
    assert problem in "".join(found)


def test_an_index_of_a_new_table_is_in_order():
    new = migrations.CreateModel("Effect", [("id", models.AutoField(primary_key=True))])
    assert problems([migration(new, migrations.AddIndex("Effect", INDEX))]) == []
