"""The statements that claim a row, in one step: the most urgent one of the least-served organization, or of all.

What the first costs must not grow with what is not to be done: with the rows of the past, or with organizations without
work. So it goes from one organization with scheduled rows to the next along their index, and stops at the first that it
can serve; and it counts the leases of all organizations at once along the index of leased rows.
"""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

_OWNER, _LAST_SERVED = "placeholder for the owner", "placeholder for the organization"

type Statement = tuple[str, tuple[object, ...]]

_PREPARED = """
WITH RECURSIVE served (organization, leases) AS ({served}),
further (organization) AS (
    SELECT ({first_further})
    UNION ALL SELECT ({next_further}) FROM further WHERE further.organization IS NOT NULL
),
every (organization) AS (
    SELECT ({first_of_all})
    UNION ALL SELECT ({next_of_all}) FROM every WHERE every.organization IS NOT NULL
)
"""
_UNSERVED = """
(SELECT {walk}.organization FROM {walk}
WHERE {walk}.organization IS NOT NULL
AND {walk}.organization NOT IN (SELECT served.organization FROM served)
AND EXISTS ({due}) LIMIT 1)
"""
_LEAST_SERVED = """
(SELECT every.organization FROM every LEFT JOIN served ON served.organization = every.organization
WHERE every.organization IS NOT NULL AND EXISTS ({due})
ORDER BY COALESCE(served.leases, 0), every.organization <= %s, every.organization LIMIT 1)
"""


def claim_statement(model: Any, lease: timedelta, owner: str, last_served: int) -> Statement:
    """Return the SQL, with its parameters, that leases a due row of a Leasable `model` to `owner` and returns it.

    The row is of an organization without a lease, the next after `last_served`; when all are being served, of one with
    the fewest leases.
    """
    return _with_values(_fair(model, lease, connection.vendor), owner, last_served)


def claim_first_statement(model: Any, lease: timedelta, owner: str) -> Statement:
    """Return the SQL, with its parameters, that leases the most urgent due row to `owner`, of any organization.

    The model has a `started_at`, which is set.
    """
    return _with_values(_first(model, lease, connection.vendor), owner)


def _with_values(statement: Statement, owner: str, last_served: int = 0) -> Statement:
    values = {_OWNER: owner, _LAST_SERVED: last_served}
    sql, parameters = statement
    return sql, tuple(values.get(value, value) if isinstance(value, str) else value for value in parameters)


@lru_cache
def _first(model: Any, lease: timedelta, _vendor: str) -> Statement:
    due = model.objects.due()
    return _leasing(model, due.order_by(*due.work_order), lease, started_at=Now())


@lru_cache
def _fair(model: Any, lease: timedelta, _vendor: str) -> Statement:
    """Return the statement with placeholders; compiled once per kind of database, since a worker often runs it."""
    rows, due = model._base_manager, model.objects.due()
    organizations = model.objects.scheduled().order_by("organization_id").values("organization_id")
    served = rows.filter(leased_until__gte=Now()).order_by().values("organization_id")
    prepared = _filled(
        _PREPARED,
        served=served.annotate(leases=models.Count("pk")),
        first_further=organizations.filter(organization_id__gt=RawSQL("%s", (_LAST_SERVED,)))[:1],
        next_further=organizations.filter(organization_id__gt=RawSQL("further.organization", ()))[:1],
        first_of_all=organizations[:1],
        next_of_all=organizations.filter(organization_id__gt=RawSQL("every.organization", ()))[:1],
    )
    due_further = due.filter(organization_id=RawSQL("further.organization", ())).order_by().values("pk")
    due_of_all = due.filter(organization_id=RawSQL("every.organization", ())).order_by().values("pk")
    unserved_further = _filled(_UNSERVED.replace("{walk}", "further"), due=due_further)
    unserved = _filled(_UNSERVED.replace("{walk}", "every"), due=due_of_all)
    least_served = _filled(_LEAST_SERVED, due=due_of_all)
    choices = (unserved_further, unserved, (least_served[0], (*least_served[1], _LAST_SERVED)))
    organization = RawSQL(  # noqa: S611 - made of the parts above alone
        f"COALESCE({', '.join(choice[0] for choice in choices)})",
        tuple(value for choice in choices for value in choice[1]),
    )
    chosen = due.filter(organization_id=organization).order_by(*due.work_order)
    update, parameters = _leasing(model, chosen, lease)
    return f"{prepared[0]}{update}", (*prepared[1], *parameters)


def _leasing(
    model: Any, chosen: models.QuerySet[Any, Any], lease: timedelta, **changes: models.Func
) -> Statement:
    """Return the SQL that leases the first of the chosen rows, counts the attempt and returns the row."""
    if connection.features.has_select_for_update_skip_locked:
        chosen = chosen.select_for_update(skip_locked=True, no_key=True, of=("self",))
    rows = model._base_manager
    query = rows.filter(pk=models.Subquery(chosen.values("pk")[:1])).query.chain(UpdateQuery)
    query.add_update_values(
        {
            "leased_until": Now() + lease,
            "lease_owner": _OWNER,
            "attempts": models.F("attempts") + 1,
            "consecutive_crashes": models.F("consecutive_crashes") + 1,
            **changes,
        }
    )
    update, parameters = query.get_compiler(connection=connection).as_sql()
    return f"{update} RETURNING *", tuple(parameters)


def _filled(template: str, **parts: models.QuerySet[Any, Any]) -> Statement:
    """Return the template with the SQL of its parts, which are given in the order in which they stand there."""
    compiled = {name: part.query.get_compiler(connection=connection).as_sql() for name, part in parts.items()}
    sql = template.format(**{name: text for name, (text, _) in compiled.items()})
    return sql, tuple(value for _, parameters in compiled.values() for value in parameters)
