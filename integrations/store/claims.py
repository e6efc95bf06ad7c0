"""The SQL of claims: which organizations are served, what could be claimed, and the leases."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import connection

from integrations.store.database import columns_of

# What a claim costs must not grow with what is not to be done: with the rows of the past, with organizations without
# work, or with the rows that wait for their time. So it looks at a bounded number of organizations: the next ones
# along the index of scheduled rows, from where the claim before it stopped, and those whose rows are due longest.

type Statement = tuple[str, Sequence[Any]]

#: How many organizations a claim goes through along the index, due or not.
ORGANIZATIONS_PER_CLAIM = 32
#: Of how many of the rows that have been due longest it looks at the organizations.
LONGEST_WAITING = 8

#: The rows that no worker holds, as `LeasableQuerySet.free` has them.
_FREE = "job.due_at <= {now} AND (job.leased_until IS NULL OR job.leased_until < {now})"
_NEXT_ORGANIZATION = """
    SELECT organization_id FROM {table} WHERE due_at IS NOT NULL AND organization_id > {after}
    ORDER BY organization_id LIMIT 1"""
_OFFERS = """
WITH RECURSIVE walk (organization, place) AS (
    SELECT ({first}), 1
    UNION ALL SELECT ({following}), walk.place + 1 FROM walk
    WHERE walk.organization IS NOT NULL AND walk.place < {places}
),
reached (organization, place) AS (
    SELECT walk.organization, walk.place FROM walk WHERE walk.organization IS NOT NULL
    UNION ALL SELECT longest.organization_id, 0 FROM (
        SELECT job.organization_id FROM {table} job WHERE {due} ORDER BY job.due_at LIMIT {longest}
    ) longest
)
SELECT reached.organization, MAX(reached.place),
    (SELECT COUNT(*) FROM {table} WHERE organization_id = reached.organization AND leased_until >= {now}),
    ({row})
FROM reached GROUP BY reached.organization
"""
_LEASE = """
UPDATE {table} SET leased_until = {until}, lease_owner = %s, attempts = attempts + 1,
    consecutive_crashes = consecutive_crashes + 1
WHERE id {chosen} RETURNING {columns}
"""


def due_sql(model: Any) -> str:
    """Return the SQL that says of a row `job` of a Leasable `model` what its `due()` says."""
    return f"{_FREE} {model.objects.all().also_due}".format(
        now=_moment(connection.vendor), table=_table(model)
    )


def offers_statement(model: Any, after: int) -> Statement:
    """Return the SQL, with its parameters, that reads what a Leasable `model` has to claim.

    Each line is of one organization: its id, its place in the walk, how many of its rows are leased, its most urgent
    due row. The walk goes from the organization behind `after` to ORGANIZATIONS_PER_CLAIM others; organizations that
    were reached only because a row of theirs has been due longest have the place 0.
    """
    return _offers(model, connection.vendor), (after,)


def lease_statement(model: Any, lease: timedelta, owner: str, rows: list[int]) -> Statement:
    """Return the SQL, with its parameters, that leases those of the rows that are still due, and returns them."""
    places = ", ".join(["%s"] * len(rows))
    choice = f"SELECT job.id FROM {_table(model)} job WHERE job.id IN ({places}) AND {due_sql(model)}"  # noqa: S608
    return _lease(model, lease, connection.vendor, choice), (owner, *rows)


def lease_most_urgent_statement(
    model: Any, lease: timedelta, owner: str, most: int, organization_id: int, opportunity_id: str = ""
) -> Statement:
    """Return the SQL, with its parameters, that leases the most urgent due rows, at most `most`, and returns them.

    They are the organization's, and where an opportunity is given, the candidate's.
    """
    also = " AND job.opportunity_id = %s" if opportunity_id else ""
    # the number is written out: for one that is a parameter, PostgreSQL plans to sort the backlog
    choice = f"{_in_order_of_work(model, '%s', also)} LIMIT {most}"
    values = organization_id, *filter(None, [opportunity_id])
    return _lease(model, lease, connection.vendor, choice), (owner, *values)


def _moment(vendor: str, seconds: float = 0) -> str:
    """Return the SQL of the time so many seconds from now, as Django stores it."""
    if vendor == "postgresql":
        return f"STATEMENT_TIMESTAMP() + INTERVAL '{seconds} s'" if seconds else "STATEMENT_TIMESTAMP()"
    later = f", '+{seconds} seconds'" if seconds else ""
    return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW'{later})"


def _table(model: Any) -> str:
    return f'"{model._meta.db_table}"'


@cache
def _offers(model: Any, vendor: str) -> str:
    table = _table(model)
    return _OFFERS.format(
        table=table,
        first=_NEXT_ORGANIZATION.format(table=table, after="%s"),
        following=_NEXT_ORGANIZATION.format(table=table, after="walk.organization"),
        places=ORGANIZATIONS_PER_CLAIM,
        longest=LONGEST_WAITING,
        due=due_sql(model),
        now=_moment(vendor),
        row=f"{_in_order_of_work(model, 'reached.organization')} LIMIT 1",
    )


def _in_order_of_work(model: Any, organization: str, also: str = "") -> str:
    """Return the SQL that reads the due rows of the organization that it states, the most urgent first.

    `also` is what else it asks of a row.

    The index that begins with the organization has them so. PostgreSQL isn't told that it is one organization, and so
    needs it sorted by: else it would go along the index of what has been due longest as well, in which others' rows
    come first, thousands of them when a customer has moved many candidates.
    """
    if connection.vendor == "postgresql":
        organization = f"ANY(ARRAY[{organization}]::bigint[])"
    order = ", ".join(f"job.{column}" for column in model.objects.all().work_order)
    return (
        f"SELECT job.id FROM {_table(model)} job "  # noqa: S608
        f"WHERE job.organization_id = {organization}{also} AND {due_sql(model)} "
        f"ORDER BY job.organization_id, {order}"
    )


@cache
def _lease(model: Any, lease: timedelta, vendor: str, choice: str) -> str:
    """Return the SQL that leases the chosen rows, counts the attempt and the crash, and returns the rows.

    The owner is the statement's first value. Rows that another claim has locked are left out.
    """
    # an array is chosen once; rows IN a choice that skips locked ones might be chosen again for each row
    postgresql = f"= ANY(ARRAY({choice} FOR NO KEY UPDATE OF job SKIP LOCKED))"
    return _LEASE.format(
        table=_table(model),
        until=_moment(vendor, lease.total_seconds()),
        chosen=postgresql if vendor == "postgresql" else f"IN ({choice})",
        columns=columns_of(model),
    )


# Which organizations a claim serves, and with how many rows each.


@dataclass(frozen=True)
class Offer:
    """What one organization has to claim."""

    organization_id: int
    #: Where the walk along the organizations reached it, from 1; 0 when it didn't.
    place: int
    #: How many of its rows are leased.
    leases: int
    #: Its most urgent due row, None when nothing of it is due.
    row_id: int | None


@dataclass
class Turns:
    """Where this process's claims of one table have got to."""

    #: The walk goes on behind this organization.
    walked_to: int = 0
    #: Of the organizations with equally few leases, the one behind this is served next.
    last_served: int = 0

    def shares(self, offers: Sequence[Offer], most: int) -> dict[Offer, int]:
        """Return how many rows of each organization to claim, at most `most` in all, each at least one.

        Every row goes to the organization that has the fewest leases, counted with the rows it was given before.
        """
        due = [offer for offer in offers if offer.row_id is not None]
        due.sort(key=lambda offer: (offer.organization_id <= self.last_served, offer.organization_id))
        given: Counter[Offer] = Counter()
        for _ in range(most if due else 0):
            given[min(due, key=lambda offer: offer.leases + given[offer])] += 1
        return dict(given)

    def go_on(self, offers: Sequence[Offer], places: int) -> None:
        """Let the next walk begin where this one ended, or at the beginning after the last organization."""
        last = max(offers, key=lambda offer: offer.place, default=None)
        self.walked_to = last.organization_id if last is not None and last.place == places else 0
