"""The database's clock, writes that are tried again while the database restarts, and what every step asks."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, connection, models, transaction
from django.db.models.expressions import Combinable, DatabaseDefault
from django.db.models.functions import Now

from integrations.core.vocabulary import FINAL_ERASURES, OWN_EVENTS, Platform

logger = logging.getLogger(__name__)


# The database's clock, which all processes and nodes share: their own clocks may differ.


QUERY_AGAIN_SECONDS = 60.0
PROMPT_SECONDS = 1.0

#: Seconds of `_uptime`, and the database's time at that moment.
_last_reading: tuple[float, datetime] | None = None


def now() -> datetime:
    """Return the database's time. It is queried at most once a minute; in between, elapsed seconds are added.

    A node that went by its own clock, when that is minutes off, would take old lists for fresh and waits for over.
    A reading that took more than PROMPT_SECONDS isn't kept: at which moment of that time it was read is unknown.
    """
    global _last_reading  # noqa: PLW0603
    uptime, last_reading = _uptime(), _last_reading
    if last_reading is not None and 0 <= uptime - last_reading[0] < QUERY_AGAIN_SECONDS:
        return last_reading[1] + timedelta(seconds=uptime - last_reading[0])
    database_time = _query()
    _last_reading = (uptime, database_time) if _uptime() - uptime < PROMPT_SECONDS else None
    return database_time


def due_after(wait: timedelta) -> Combinable:
    """Return the time after `wait`, for the database to find out when it writes it."""
    # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
    return Now() + wait if wait else Now()


MARK_EVERY = timedelta(seconds=10)


def mark_now(row: models.Model, *columns: str, every: timedelta = MARK_EVERY) -> None:
    """Set columns of a row to now; nothing is written while all of them were set less than `every` ago."""
    moment = now()
    marks = [getattr(row, column) for column in columns]
    if all(mark is not None and moment - mark < every for mark in marks):
        return
    for column in columns:
        setattr(row, column, moment)  # noted here first: several threads may hold this object
    type(row)._base_manager.filter(pk=row.pk).update(**dict.fromkeys(columns, Now()))


def _uptime() -> float:
    """Return the seconds since the machine started, including suspended time where the system counts it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def reset_clock() -> None:
    """Discard the kept reading, so that the next call queries the database."""
    global _last_reading  # noqa: PLW0603
    _last_reading = None


def unix_seconds() -> str:
    """Return the SQL of the database's time in Unix seconds, read anew in each row."""
    if connection.vendor == "postgresql":
        return "extract(epoch from clock_timestamp())"
    return "((julianday('now') - 2440587.5) * 86400.0)"


def _query() -> datetime:
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp()" if is_postgresql else "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"
        )
        (value,) = cursor.fetchone()
    return value if is_postgresql else datetime.fromisoformat(value).replace(tzinfo=UTC)


# Retry a database write while the database restarts: a platform's answer can't be fetched a second time.


#: What the driver raises when the database is unreachable. Other errors mean that the statement itself is wrong.
DATABASE_OUTAGE = (OperationalError, InterfaceError)
DELETION = "a deletion"
#: What the database calls the end of a statement because of another transaction. It is there, and the same succeeds
#: when it is tried again; after a deletion, what is read anew no longer refers to the row that is gone.
CONFLICTS = {
    "40P01": "a deadlock",
    "55P03": "a lock time-out",
    "40001": "a serialization failure",
    "23503": DELETION,
    "SQLITE_CONSTRAINT_FOREIGNKEY": DELETION,
}
RETRY_SECONDS = 20.0  # short enough to retry before and after a call within one lease
PAUSE_SECONDS = 0.2


def conflict(error: BaseException) -> str:
    """Return which conflict with another transaction ended a statement, in words; empty for any other error."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return CONFLICTS.get(code or "", "")


def with_retry[Outcome](write: Callable[[], Outcome]) -> Outcome:
    """Return what `write` returns; while the database is unreachable, `write` is called again on a new connection.

    After a conflict with another transaction it is called again at once, but after a deletion the error is raised:
    `write` would only refer to the row that is gone once more.

    `write` must be safe to run twice: a commit may have succeeded although the connection broke before the answer.
    The last error is raised after RETRY_SECONDS, and at once inside a transaction, which can't be continued.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return write()
        except DATABASE_OUTAGE as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            if name := conflict(error):
                logger.warning("%s with another transaction ended a write; it is tried again", name)
                continue
            logger.warning("the database is unreachable; retrying the write", exc_info=True)
            connection.close()
            time.sleep(PAUSE_SECONDS)


#: A connection has a statement prepared when it runs it for the fourth time.
RUN_BEFORE_PREPARED = 3


# Plans that PostgreSQL keeps; what is run again when its connection has ended meanwhile.


@contextmanager
def kept_plans() -> Iterator[None]:
    """Have PostgreSQL keep the plan of each statement that runs within, also where connections usually don't.

    For statements that find rows by a key: another value could need another plan of any other statement.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, RUN_BEFORE_PREPARED
    try:
        yield
    finally:
        driver.prepare_threshold = threshold


def on_a_live_connection[Outcome](run: Callable[[], Outcome]) -> Outcome:
    """Return what `run` returns; when its connection proves to have ended meanwhile, it is called on a new one.

    `run` must be safe to run twice. Inside a transaction, which can't be continued, the error is raised.
    """
    try:
        return run()
    except (*DATABASE_OUTAGE, InternalError):
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return run()


# What every step asks, in SQL of our own: the ORM takes ten times as long to put a question together as to ask it.
#
# Each says the same as a query of the ORM would, and only what a profile shows to be asked for every invitation is
# here.


type Rows = list[tuple[Any, ...]]


def rows_of[Row: models.Model](model: type[Row], where: str, *values: object) -> list[Row]:
    """Return the rows of the model that the condition says, read whole."""
    # named: a prepared `*` fails for the connection's life once a migration has added a column
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    statement = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE {where}'  # noqa: S608
    return list(model._base_manager.raw(statement, values))


def insert_unless_stored(row: models.Model, *columns: str) -> None:
    """Store a new row unless a row with the same values in these columns is there. The object gets no key.

    Raises IntegrityError when the row breaks another rule; bulk_create() on SQLite would ignore that too.
    """
    stated: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = field.value_from_object(row)
        if not field.primary_key and not isinstance(value, DatabaseDefault):
            stated[f'"{field.column}"'] = field.get_db_prep_save(value, connection)
    places = ", ".join(["%s"] * len(stated))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{row._meta.db_table}" ({", ".join(stated)}) VALUES ({places}) '  # noqa: S608
            f"ON CONFLICT ({', '.join(columns)}) DO NOTHING",
            list(stated.values()),
        )


def locked_row[Row: models.Model](model: type[Row], pk: int) -> Row | None:
    """Return the row, locked until the transaction ends, None when it is gone; rows that refer to it can be inserted.

    Raises TransactionManagementError outside a transaction. SQLite needs no lock: its write transactions run one at a
    time.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a row is locked within a transaction")
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    return next(iter(rows_of(model, f"id = %s{lock}", pk)), None)


def _all(sql: str) -> Callable[..., Rows]:
    """Return a function of the values in the SQL that returns the rows."""

    def ask(*values: Any) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(sql, [adapted(value) for value in values])
            rows: Rows = cursor.fetchall()
        return rows

    return ask


def _whether(sql: str) -> Callable[..., bool]:
    """Return a function of the values in the SQL that returns whether there is a row."""
    ask = _all(f"{sql} LIMIT 1")
    return lambda *values: bool(ask(*values))


def _first(sql: str) -> Callable[..., Any]:
    """Return a function of the values in the SQL that returns the first row's column, None without a row."""
    ask = _all(f"{sql} LIMIT 1")
    return lambda *values: next((row[0] for row in ask(*values)), None)


def adapted(value: Any) -> Any:
    """Return a value as a statement of our own is given it."""
    is_time = isinstance(value, datetime)
    return models.DateTimeField().get_db_prep_value(value, connection) if is_time else value


#: Of an organization's opportunity: whether the person's data was erased for good.
is_erased = _whether(
    "SELECT 1 FROM integrations_erasure WHERE organization_id = %s AND opportunity_id = %s "  # noqa: S608
    f"AND cause IN ({', '.join(sorted(repr(cause.value) for cause in FINAL_ERASURES))})"
)
#: Of an organization: whether a member uses who is on each candidate in Lever (`MembershipManager.using_people`).
uses_people = _whether(
    "SELECT 1 FROM integrations_membership WHERE organization_id = %s AND address <> '' "
    "AND (role = 'limited_team_member' OR lists_own OR only_own_emails)"
)
#: Of an organization and a stage's id: its name, None where Lever doesn't list it.
live_stage_name = _first(
    "SELECT name FROM integrations_stage WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL"
)
#: Of an organization and a role's id: its title and its categories as JSON; no row where Lever doesn't list it.
live_role = _all(
    "SELECT title, categories FROM integrations_role "
    "WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL"
)
#: Of an organization: ids and names of the assessments that CodeScreen lists, by name.
live_assessments = _all(
    "SELECT external_id, name FROM integrations_assessment "
    "WHERE organization_id = %s AND gone_at IS NULL ORDER BY name"
)
#: Of an organization: what `mapping_rule` reads of each mapping, the last two as JSON.
role_mappings = _all(
    "SELECT id, role, stage, assessment, approval, reentry, reentry_days, next_assessment, stage_on_pass, "
    "department, team, location, level, commitment, origins, also_assessments "
    "FROM integrations_rolemapping WHERE organization_id = %s ORDER BY role, stage, id"
)
#: Of an organization and a time: how many invitations were made since then that aren't held.
invited_since = _first(
    "SELECT COUNT(*) FROM integrations_invitation "
    "WHERE organization_id = %s AND created_at >= %s AND status <> 'held'"
)
#: Of an organization's opportunity and a time: whether Lever sent a webhook about it since then.
has_webhook_since = _whether(
    "SELECT 1 FROM integrations_delivery WHERE organization_id = %s AND opportunity_id = %s AND received_at > %s "  # noqa: S608
    f"AND platform = '{Platform.LEVER}' AND event NOT IN {tuple(sorted(map(str, OWN_EVENTS)))}"
)
#: Of an organization's opportunity, an assessment and a round: whether a later round was sent.
has_later_round_sent = _whether(
    "SELECT 1 FROM integrations_invitation WHERE organization_id = %s AND opportunity_id = %s "
    "AND assessment_id = %s AND round > %s AND instance_id <> '' AND status <> 'withdrawn'"
)
#: Of an organization's opportunity and an effect: whether a progress tag was enqueued later that hasn't failed.
has_later_progress_tag = _whether(
    "SELECT 1 FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
    "AND kind = 'set_progress_tag' AND id > %s AND state <> 'failed'"
)
#: Of an organization's opportunity, rows of one kind each: `leave_note` where a note was enqueued, and
#: `set_progress_tag` where a progress tag is enqueued that no worker has begun to set.
notes_and_waiting_tags = _all(
    "SELECT DISTINCT kind FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
    "AND (kind = 'leave_note' OR kind = 'set_progress_tag' AND state = 'due' AND leased_until IS NULL)"
)
