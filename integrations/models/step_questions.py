"""What every step asks, in SQL of our own: the ORM takes ten times as long to put a question together as to ask it.

Each says the same as a query of the ORM would, and only what a profile shows to be asked for every invitation is here.
"""

from datetime import datetime
from typing import Any

from django.db import connection, models

from integrations.vocabulary import FINAL_ERASURES, DeliveryEvent, Platform

_FINAL = ", ".join(sorted(f"'{cause.value}'" for cause in FINAL_ERASURES))


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows that the database answers with."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def first_value(sql: str, *values: Any) -> str | None:
    """Return the first column of the first row, None when there is no row."""
    return next((row[0] for row in rows(sql, *values)), None)


def rows_of[Row: models.Model](model: type[Row], where: str, *values: object) -> list[Row]:
    """Return the rows of the model that the condition says, read whole."""
    # named: a prepared `*` fails for the connection's life once a migration has added a column
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    statement = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE {where}'  # noqa: S608
    return list(model._base_manager.raw(statement, values))


def is_erased(organization_id: int, opportunity_id: str) -> bool:
    """Whether the person's data was erased for good."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_erasure "  # noqa: S608
            f"WHERE organization_id = %s AND opportunity_id = %s AND cause IN ({_FINAL})",
            organization_id,
            opportunity_id,
        )
    )


def has_limited_members(organization_id: int) -> bool:
    """Whether a Limited Team Member has accepted, or is stated by the operator."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_membership "
            "WHERE organization_id = %s AND role = 'limited_team_member' AND address <> '' LIMIT 1",
            organization_id,
        )
    )


def live_stage_name(organization_id: int, stage_id: str) -> str | None:
    """Return the name of the stage that Lever lists, None for another id."""
    return first_value(
        "SELECT name FROM integrations_stage "
        "WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL",
        organization_id,
        stage_id,
    )


def live_role_title(organization_id: int, role_id: str) -> str | None:
    """Return the title of the role that Lever lists, None for another id."""
    return first_value(
        "SELECT title FROM integrations_role "
        "WHERE organization_id = %s AND external_id = %s AND gone_at IS NULL",
        organization_id,
        role_id,
    )


def live_assessments(organization_id: int) -> list[tuple[str, str]]:
    """Return ids and names of the assessments that CodeScreen lists, by name."""
    return rows(
        "SELECT external_id, name FROM integrations_assessment "
        "WHERE organization_id = %s AND gone_at IS NULL ORDER BY name",
        organization_id,
    )


def role_mappings(organization_id: int) -> list[tuple[str, str, str]]:
    """Return role, stage and assessment of each mapping, as they were written."""
    return rows(
        "SELECT role, stage, assessment FROM integrations_rolemapping "
        "WHERE organization_id = %s ORDER BY role, stage",
        organization_id,
    )


def invited_since(organization_id: int, moment: datetime) -> int:
    """Return how many invitations were made since then that aren't held."""
    ((count,),) = rows(
        "SELECT COUNT(*) FROM integrations_invitation "
        "WHERE organization_id = %s AND created_at >= %s AND status <> 'held'",
        organization_id,
        _time(moment),
    )
    return int(count)


def has_webhook_since(organization_id: int, opportunity_id: str, moment: datetime) -> bool:
    """Whether Lever sent a webhook about the candidate since then."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_delivery WHERE organization_id = %s AND opportunity_id = %s "  # noqa: S608
            f"AND platform = '{Platform.LEVER}' AND received_at > %s AND event <> '{DeliveryEvent.SWEEP}' LIMIT 1",
            organization_id,
            opportunity_id,
            _time(moment),
        )
    )


def has_later_round_sent(organization_id: int, opportunity_id: str, assessment_id: str, number: int) -> bool:
    """Whether a later round of the assessment was sent."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_invitation WHERE organization_id = %s AND opportunity_id = %s "
            "AND assessment_id = %s AND round > %s AND instance_id <> '' LIMIT 1",
            organization_id,
            opportunity_id,
            assessment_id,
            number,
        )
    )


def has_later_progress_tag(organization_id: int, opportunity_id: str, effect_id: int) -> bool:
    """Whether a later progress tag of the candidate was enqueued that hasn't failed."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
            "AND kind = 'set_progress_tag' AND id > %s AND state <> 'failed' LIMIT 1",
            organization_id,
            opportunity_id,
            effect_id,
        )
    )


def has_waiting_progress_tag(organization_id: int, opportunity_id: str) -> bool:
    """Whether a progress tag of the candidate is enqueued that no worker has begun to set."""
    return bool(
        rows(
            "SELECT 1 FROM integrations_effect WHERE organization_id = %s AND opportunity_id = %s "
            "AND kind = 'set_progress_tag' AND state = 'due' AND leased_until IS NULL LIMIT 1",
            organization_id,
            opportunity_id,
        )
    )


def _time(moment: datetime) -> object:
    return models.DateTimeField().get_db_prep_value(moment, connection)
