"""The statements of a claim, compiled once for each model and kind of database: what could be claimed, and the leases.

What a claim costs must not grow with what is not to be done: with the rows of the past, with organizations without
work, or with the rows that wait for their time. So it looks at a bounded number of organizations: the next ones along
the index of scheduled rows, from where the claim before it stopped, and those whose rows have been due longest.
"""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from integrations.models.prepared import Place, filled
from integrations.models.sql_template import Statement, with_parts

#: How many organizations a claim goes through along the index, due or not.
ORGANIZATIONS_PER_CLAIM = 32
#: Of how many of the rows that have been due longest it looks at the organizations.
LONGEST_WAITING = 8

_OFFERS = """
WITH RECURSIVE walk (organization, place) AS (
    SELECT ({first}), 1
    UNION ALL SELECT ({following}), walk.place + 1 FROM walk
    WHERE walk.organization IS NOT NULL AND walk.place < {places}
),
reached (organization, place) AS (
    SELECT walk.organization, walk.place FROM walk WHERE walk.organization IS NOT NULL
    UNION ALL SELECT longest.organization_id, 0 FROM ({longest}) longest
)
SELECT reached.organization, MAX(reached.place), ({leases}), ({row})
FROM reached GROUP BY reached.organization
"""


def offers_statement(model: Any, after: int) -> Statement:
    """Return the SQL, with its parameters, that reads what a Leasable `model` has to claim.

    Each line is of one organization: its id, its place in the walk, how many of its rows are leased, its most urgent
    due row. The walk goes from the organization behind `after` to ORGANIZATIONS_PER_CLAIM others; organizations that
    were reached only because a row of theirs has been due longest have the place 0.
    """
    return _with_values(_offers(model, connection.vendor), after)


def lease_statement(model: Any, lease: timedelta, owner: str, rows: list[int]) -> Statement:
    """Return the SQL, with its parameters, that leases those of the rows that are still due, and returns them."""
    return _with_values(_leasing_rows(model, lease, connection.vendor, len(rows)), owner, *rows)


def lease_of_organization_statement(
    model: Any, lease: timedelta, owner: str, organization_id: int, most: int
) -> Statement:
    """Return the SQL, with its parameters, that leases the most urgent due rows of the organization, at most `most`."""
    return _with_values(
        _leasing_of_organization(model, lease, connection.vendor), owner, organization_id, most
    )


def lease_of_candidate_statement(
    model: Any, lease: timedelta, owner: str, organization_id: int, opportunity_id: str
) -> Statement:
    """Return the SQL, with its parameters, that leases the candidate's most urgent due row and returns it."""
    statement = _leasing_of_candidate(model, lease, connection.vendor)
    return _with_values(statement, owner, organization_id, opportunity_id)


def lease_first_statement(model: Any, lease: timedelta, owner: str, *, starts: bool = False) -> Statement:
    """Return the SQL, with its parameters, that leases the most urgent due row to `owner`, of any organization.

    If it `starts`, the row's `started_at` is set and its `requested_at` emptied: this run meets the request.
    """
    return _with_values(_leasing_first(model, lease, connection.vendor, starts), owner)


def _with_values(statement: Statement, *values: object) -> Statement:
    sql, parameters = statement
    return sql, filled(parameters, values)


@lru_cache
def _offers(model: Any, _vendor: str) -> Statement:
    rows, due = model._base_manager, model.objects.due()
    organizations = model.objects.scheduled().order_by("organization_id").values("organization_id")
    of_reached = RawSQL("reached.organization", ())
    leased = rows.filter(organization_id=of_reached, leased_until__gte=Now()).order_by()
    leases = leased.annotate(every=models.Value(1)).values("every").annotate(leases=models.Count("pk"))
    return with_parts(
        _OFFERS.replace("{places}", str(ORGANIZATIONS_PER_CLAIM)),
        first=organizations.filter(organization_id__gt=RawSQL("%s", (Place(0),)))[:1],
        following=organizations.filter(organization_id__gt=RawSQL("walk.organization", ()))[:1],
        longest=due.order_by("due_at").values("organization_id")[:LONGEST_WAITING],
        leases=leases.values("leases"),
        row=_in_order_of_work(due, "reached.organization").values("pk")[:1],
    )


@lru_cache
def _leasing_rows(model: Any, lease: timedelta, _vendor: str, count: int) -> Statement:
    is_one = RawSQL(  # noqa: S611 - placeholders alone
        f'"{model._meta.db_table}"."id" IN ({", ".join(["%s"] * count)})',
        tuple(Place(number) for number in range(1, count + 1)),
        output_field=models.BooleanField(),
    )
    return _leasing(model, model.objects.due().filter(is_one).order_by(), lease)


@lru_cache
def _leasing_of_organization(model: Any, lease: timedelta, _vendor: str) -> Statement:
    due = _in_order_of_work(model.objects.due(), "%s", Place(1))
    return _leasing(model, due, lease, most=Place(2))


@lru_cache
def _leasing_of_candidate(model: Any, lease: timedelta, _vendor: str) -> Statement:
    due = model.objects.due().filter(
        organization_id=RawSQL("%s", (Place(1),)), opportunity_id=RawSQL("%s", (Place(2),))
    )
    return _leasing(model, due.order_by(*due.work_order)[:1], lease)


@lru_cache
def _leasing_first(model: Any, lease: timedelta, _vendor: str, starts: bool) -> Statement:
    due = model.objects.due()
    first = due.order_by(*due.work_order)[:1]
    if not starts:
        return _leasing(model, first, lease)
    return _leasing(model, first, lease, started_at=Now(), requested_at=models.Value(None))


def _in_order_of_work(due: Any, organization: str, *parameters: object) -> models.QuerySet[Any, Any]:
    """Return the due rows of the organization that the SQL states, the most urgent first.

    The index that begins with the organization has them so. PostgreSQL isn't told that it is one organization, and so
    needs it sorted by: else it would go along the index of what has been due longest as well, in which others' rows
    come first, thousands of them when a customer has moved many candidates.
    """
    if connection.vendor == "postgresql":
        organization = f"ANY(ARRAY[{organization}]::bigint[])"
    is_its = RawSQL(  # noqa: S611 - made of what is written here
        f'"{due.model._meta.db_table}"."organization_id" = {organization}',
        parameters,
        output_field=models.BooleanField(),
    )
    ordered: models.QuerySet[Any, Any] = due.filter(is_its).order_by("organization_id", *due.work_order)
    return ordered


def _leasing(
    model: Any,
    chosen: models.QuerySet[Any, Any],
    lease: timedelta,
    *,
    most: Place | None = None,
    **changes: models.Func | models.Value,
) -> Statement:
    """Return the SQL that leases the chosen rows, counts the attempt and the crash, and returns the rows.

    The owner is the statement's first value. Rows that another claim has locked are left out. `most`: which value is
    the number of rows at most.
    """
    can_skip = connection.features.has_select_for_update_skip_locked
    choice, parameters = chosen.values("pk").query.get_compiler(connection=connection).as_sql()
    if most is not None:
        choice, parameters = f"{choice} LIMIT %s", (*parameters, most)
    if can_skip:  # not by select_for_update(), which compiles in a transaction alone
        table = connection.ops.quote_name(model._meta.db_table)
        choice += f" {connection.ops.for_update_sql(skip_locked=True, of=(table,), no_key=True)}"
    # an array is chosen once; rows IN a choice that skips locked ones might be chosen again for each row
    is_chosen = f"= ANY(ARRAY({choice}))" if can_skip else f"IN ({choice})"
    condition = RawSQL(  # noqa: S611 - made of what was compiled above
        f'"{model._meta.db_table}"."id" {is_chosen}', tuple(parameters), output_field=models.BooleanField()
    )
    query = model._base_manager.filter(condition).query.chain(UpdateQuery)
    query.add_update_values(
        {
            "leased_until": Now() + lease,
            "lease_owner": models.Value(Place(0)),
            "attempts": models.F("attempts") + 1,
            "consecutive_crashes": models.F("consecutive_crashes") + 1,
            **changes,
        }
    )
    update, parameters = query.get_compiler(connection=connection).as_sql()
    # named: a prepared `*` fails for the connection's life once a migration has added a column
    columns = ", ".join(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields)
    return f"{update} RETURNING {columns}", tuple(parameters)
