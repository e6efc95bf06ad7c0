"""What a claim costs, and how it is shared: it reads few rows, and each organization gets its share."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store.claims import ORGANIZATIONS_PER_CLAIM, Offer, Turns, due_sql
from tests.support import factories

HISTORY, IDLE_ORGANIZATIONS = 1_500, 150
LATER = timezone.now() + timedelta(hours=1)
#: A claim of one row among so many reads a handful; the history or the idle organizations would be hundreds.
MOST_ROWS_READ = 60


@pytest.fixture
def busy_tables(organization: Organization) -> Organization:
    """An organization with a long history and one due row of each kind, among many that have nothing to do."""
    now = timezone.now()
    Organization.objects.bulk_create(
        factories.OrganizationFactory.build_batch(IDLE_ORGANIZATIONS), batch_size=500
    )
    decided = {"organization": organization, "due_at": None, "verdict": "no_email", "decided_at": now}
    Delivery.objects.bulk_create(factories.DeliveryFactory.build_batch(HISTORY, **decided))
    done = {"organization": organization, "due_at": None, "state": "done"}
    Effect.objects.bulk_create(factories.EffectFactory.build_batch(HISTORY, **done))
    factories.DeliveryFactory.create(organization=organization)
    factories.EffectFactory.create(organization=organization)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return organization


def claim_sql(model: Any) -> list[str]:
    """Return the statements that claim a row of the model, with their values; the claim is made and undone."""
    with CaptureQueriesContext(connection) as queries:
        assert model.claim("one") is not None
    model.objects.update(leased_until=None)
    return [str(query["sql"]) for query in queries]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a PostgreSQL plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def rows_read(statement: str) -> float:
    """Return how many rows PostgreSQL reads from tables when it executes the statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
        (plans,) = cursor.fetchone()
    plan = plans[0] if isinstance(plans, list) else json.loads(plans)[0]
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes_of(plan["Plan"])
        if "Relation Name" in node and node["Node Type"] != "ModifyTable"
    )


def full_scans(statement: str) -> list[str]:
    """Return the steps of SQLite's plan that read a whole table, not a part of it by an index."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        steps = [row[3] for row in cursor.fetchall()]
    walks = {"SCAN walk", "SCAN reached", "SCAN longest"}
    partial_indexes = ("_leased", "_due")
    return [
        step
        for step in steps
        if step.startswith("SCAN ") and step not in walks | {"SCAN CONSTANT ROW"}
        # a scan of a partial index reads what is leased or due now
        if not any(f"{name}" in step.partition(" INDEX ")[2] for name in partial_indexes)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("model", [Delivery, Effect])
def test_a_claim_reads_neither_the_history_nor_idle_organizations(model, busy_tables) -> None:
    statements = claim_sql(model)
    if connection.vendor == "postgresql":
        assert sum(rows_read(statement) for statement in statements) < MOST_ROWS_READ
    else:
        assert [step for statement in statements for step in full_scans(statement)] == []
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statements[0]}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert f"{model._meta.model_name}_leased" in plan  # by this index leases are counted


@pytest.mark.skipif(connection.vendor != "postgresql", reason="counts the rows that PostgreSQL reads")
@pytest.mark.parametrize("factory", [factories.DeliveryFactory, factories.EffectFactory])
def test_a_claim_does_not_read_the_backlog_of_another_organization_that_has_been_due_longer(
    db, factory
) -> None:
    busy, *others = factories.OrganizationFactory.create_batch(4)
    an_hour_ago = factories.a_moment_ago() - timedelta(hours=1)
    backlog = factory.build_batch(HISTORY, organization=busy, due_at=an_hour_ago)
    model = type(backlog[0])
    model.objects.bulk_create(backlog)
    for organization in others:
        factory.create_batch(50, organization=organization)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert sum(rows_read(statement) for statement in claim_sql(model)) < MOST_ROWS_READ


@pytest.mark.parametrize("factory", [factories.DeliveryFactory, factories.EffectFactory])
def test_organizations_take_turns_when_none_is_being_served(db, factory) -> None:
    first, second, third = (factories.OrganizationFactory.create() for _ in range(3))
    for organization in (first, second, third) * 2:
        model = type(factory.create(organization=organization))
    served = []
    for _ in range(6):
        row = factories.claimed(model, "one")
        served.append(row.organization_id)
        row.release(due_at=None, **({"state": "done"} if model is Effect else {}))
    assert sorted(served[:3]) == sorted(served[3:]) == [first.pk, second.pk, third.pk]


@pytest.mark.parametrize("factory", [factories.DeliveryFactory, factories.EffectFactory])
def test_a_batch_gives_each_organization_its_share_with_what_it_has_leased(db, factory) -> None:
    busy, quiet = factories.OrganizationFactory.create(), factories.OrganizationFactory.create()
    backlog = {"organization": busy, "due_at": factories.a_moment_ago() - timedelta(hours=1)}
    model = type(factory.create_batch(10, **backlog)[0])
    assert len(model.claim_batch("one", 2)) == 2
    factory.create_batch(4, organization=quiet)
    claimed = [row.organization_id for row in model.claim_batch("two", 4)]
    assert Counter(claimed) == {busy.pk: 1, quiet.pk: 3}


@pytest.mark.parametrize("factory", [factories.DeliveryFactory, factories.EffectFactory])
def test_every_organization_is_served_although_a_claim_looks_at_some_of_them_alone(db, factory) -> None:
    number = 3 * ORGANIZATIONS_PER_CLAIM
    organizations = Organization.objects.bulk_create(factories.OrganizationFactory.build_batch(number))
    rows = [factory.build(organization=organization, due_at=LATER) for organization in organizations]
    model = type(rows[0])
    model.objects.bulk_create(rows)
    due = factory.create(organization=factories.OrganizationFactory.create())
    assert factories.claimed(model, "one").pk == due.pk
    model.objects.filter(due_at=LATER).update(due_at=factories.a_moment_ago())
    served = {row.organization_id for _ in range(40) for row in model.claim_batch("one", 4)}
    assert served == {organization.pk for organization in organizations}


@pytest.mark.parametrize("factory", [factories.DeliveryFactory, factories.EffectFactory])
def test_a_claim_takes_for_due_what_the_queryset_does(organization, factory) -> None:
    moment = factories.a_moment_ago()
    leases = {"free": None, "held": moment + timedelta(hours=1), "lost": moment - timedelta(hours=1)}
    times = {"due": moment, "long due": moment - timedelta(hours=2), "later": moment + timedelta(hours=2)}
    for lease, due_at in product(leases, times):
        # alone, and beside another of the same candidate that is as urgent, or more urgent
        factory.create(organization=organization, leased_until=leases[lease], due_at=times[due_at])
        for other_due_at in (moment, moment - timedelta(hours=3)):
            of_candidate = {
                "organization": organization,
                "opportunity_id": f"{lease} {due_at} {other_due_at}",
            }
            factory.create(**of_candidate, leased_until=leases[lease], due_at=times[due_at])
            model = type(factory.create(**of_candidate, due_at=other_due_at))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT job.id FROM {model._meta.db_table} job WHERE {due_sql(model)}", ())
        by_claims = {pk for (pk,) in cursor.fetchall()}
    assert by_claims == set(model.objects.due().values_list("pk", flat=True))
    assert 0 < len(by_claims) < model.objects.count()


# the shares of a claim, and the walk along the organizations, without a database


def offer(organization_id: int, leases: int = 0, place: int = 1, is_due: bool = True) -> Offer:
    return Offer(organization_id, place, leases, organization_id * 100 if is_due else None)


@pytest.mark.parametrize(
    ("offers", "most", "shares"),
    [
        pytest.param([offer(7)], 5, {7: 5}, id="one alone gets all"),
        pytest.param(
            [offer(1), offer(2), offer(3)], 4, {3: 2, 1: 1, 2: 1}, id="equals from the next in turn on"
        ),
        pytest.param([offer(1, leases=2), offer(4)], 2, {4: 2}, id="who has leases waits"),
        pytest.param([offer(1, leases=2), offer(4)], 4, {4: 3, 1: 1}, id="until the others have as many"),
        pytest.param([offer(1, is_due=False), offer(2)], 3, {2: 3}, id="nothing is due for one"),
        pytest.param([offer(1, is_due=False)], 3, {}, id="nothing is due"),
    ],
)
def test_every_row_goes_to_the_organization_with_the_fewest_leases(offers, most, shares):
    given = Turns(last_served=2).shares(offers, most)
    assert {offer.organization_id: share for offer, share in given.items()} == shares


def test_the_walk_goes_on_behind_its_last_organization_and_begins_anew_after_the_last_of_all():
    turns = Turns()
    turns.go_on([offer(1, place=1), offer(4, place=2), offer(9, place=0)], 2)
    assert turns.walked_to == 4
    turns.go_on([offer(6, place=1), offer(9, place=0)], 2)
    assert turns.walked_to == 0
    turns.go_on([], 2)
    assert turns.walked_to == 0
