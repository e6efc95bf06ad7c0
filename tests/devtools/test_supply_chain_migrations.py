"""A migration that would hold up a portal that serves is told before it is released."""

from django.db import migrations, models

from portal.devtools.supply_chain import problems

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
    code = migrations.RunPython(migrations.RunPython.noop)
    assert problems([migration(code)]) == []
    assert len(problems([migration(ADD_TO_EFFECT, code)])) == 1


def test_two_operations_without_a_transaction_are_told():
    assert problems([migration(ADD_TO_EFFECT, atomic=False)]) == []
    [problem] = problems([migration(ADD_TO_EFFECT, ADD_TO_EFFECT, atomic=False)])
    assert "can't be tried again half-way" in problem


def test_the_first_migration_is_left_out_since_nothing_ran_before_it():
    assert problems([migration(ADD_TO_EFFECT, ADD_TO_DELIVERY, name="0001_initial")]) == []
