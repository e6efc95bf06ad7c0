"""What every step asks, in SQL of our own: the ORM takes ten times as long to put a question together as to ask it.

Each says the same as a query of the ORM would, and only what a profile shows to be asked for every invitation is here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, models

from integrations.core.vocabulary import FINAL_ERASURES, DeliveryEvent, Platform

type Rows = list[tuple[Any, ...]]


def rows_of[Row: models.Model](model: type[Row], where: str, *values: object) -> list[Row]:
    """Return the rows of the model that the condition says, read whole."""
    # named: a prepared `*` fails for the connection's life once a migration has added a column
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    statement = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE {where}'  # noqa: S608
    return list(model._base_manager.raw(statement, values))


def _all(sql: str) -> Callable[..., Rows]:
    """Return a function of the values in the SQL that returns the rows."""

    def ask(*values: Any) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(sql, [_adapted(value) for value in values])
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


def _adapted(value: Any) -> Any:
    is_time = isinstance(value, datetime)
    return models.DateTimeField().get_db_prep_value(value, connection) if is_time else value


#: Of an organization's opportunity: whether the person's data was erased for good.
is_erased = _whether(
    "SELECT 1 FROM integrations_erasure WHERE organization_id = %s AND opportunity_id = %s "  # noqa: S608
    f"AND cause IN ({', '.join(sorted(repr(cause.value) for cause in FINAL_ERASURES))})"
)
#: Of an organization: whether a Limited Team Member has accepted, or is stated by the operator.
has_limited_members = _whether(
    "SELECT 1 FROM integrations_membership "
    "WHERE organization_id = %s AND role = 'limited_team_member' AND address <> ''"
)
#: Of an organization and a stage's id: its name, None where Lever doesn't list it.
live_stage_name = _first(
    "SELECT name FROM integrations_stage WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL"
)
#: Of an organization and a role's id: its title, None where Lever doesn't list it.
live_role_title = _first(
    "SELECT title FROM integrations_role WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL"
)
#: Of an organization: ids and names of the assessments that CodeScreen lists, by name.
live_assessments = _all(
    "SELECT external_id, name FROM integrations_assessment "
    "WHERE organization_id = %s AND gone_at IS NULL ORDER BY name"
)
#: Of an organization: role, stage and assessment of each mapping, as they were written.
role_mappings = _all(
    "SELECT role, stage, assessment FROM integrations_rolemapping WHERE organization_id = %s ORDER BY role, stage"
)
#: Of an organization and a time: how many invitations were made since then that aren't held.
invited_since = _first(
    "SELECT COUNT(*) FROM integrations_invitation "
    "WHERE organization_id = %s AND created_at >= %s AND status <> 'held'"
)
#: Of an organization's opportunity and a time: whether Lever sent a webhook about it since then.
has_webhook_since = _whether(
    "SELECT 1 FROM integrations_delivery WHERE organization_id = %s AND opportunity_id = %s AND received_at > %s "  # noqa: S608
    f"AND platform = '{Platform.LEVER}' AND event <> '{DeliveryEvent.SWEEP}'"
)
#: Of an organization's opportunity, an assessment and a round: whether a later round was sent.
has_later_round_sent = _whether(
    "SELECT 1 FROM integrations_invitation WHERE organization_id = %s AND opportunity_id = %s "
    "AND assessment_id = %s AND round > %s AND instance_id <> ''"
)
#: Of an organization's opportunity and an effect: whether a progress tag was enqueued later that hasn't failed.
has_later_progress_tag = _whether(
    "SELECT 1 FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
    "AND kind = 'set_progress_tag' AND id > %s AND state <> 'failed'"
)
#: Of an organization's opportunity: whether a progress tag is enqueued that no worker has begun to set.
has_waiting_progress_tag = _whether(
    "SELECT 1 FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
    "AND kind = 'set_progress_tag' AND state = 'due' AND leased_until IS NULL"
)
