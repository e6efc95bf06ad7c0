"""Connect and disconnect an organization's Lever account."""

from django.contrib.auth.models import User
from django.db import transaction

from integrations.http.json_types import JsonObject
from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    LeverConnection,
    Organization,
    TargetKind,
)
from integrations.workflow.effects.kinds.feedback import enqueue_template
from integrations.workflow.email import connection_notices
from integrations.workflow.operations.waiting import requeue_waiting


def connect_lever(
    organization: Organization,
    tokens: JsonObject,
    person: User,
    *,
    lever_user_id: str,
    lever_account_id: str,
    lever_user_name: str = "",
    lever_user_email: str = "",
) -> LeverConnection:
    """Store the grant that a person consented to, and requeue what waited for it; return the connection.

    `tokens` is Lever's token answer (see LeverConnection.accept_grant).
    """
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        connection = connection or LeverConnection(organization=organization)
        before = connection.lever_account_id
        if not lever_account_id or lever_account_id != before:
            connection.feedback_template_id = ""  # another Lever account has other templates
        connection.accept_grant(
            tokens,
            person,
            lever_user_id,
            lever_account_id,
            lever_user_name=lever_user_name,
            lever_user_email=lever_user_email,
        )
        enqueue_template(organization)
        connection_notices.notify_reconnected(organization)
        requeue_waiting(organization)
        is_other = bool(before) and before != lever_account_id
        changes = {"lever_account_id": (before, lever_account_id)} if is_other else {}
        AuditEntry.record(organization, person, AuditAction.CONNECT, _target(connection), changes)
    return connection


def disconnect_lever(organization: Organization, actor: Actor) -> None:
    """Delete Lever's tokens. Deliveries are stored from now on and decided once Lever is connected again."""
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        if connection is None:
            return
        before = connection.state
        connection.disconnect(f"Disconnected by {actor}.")
        changes = {"state": (before, connection.state)}
        AuditEntry.record(organization, actor, AuditAction.DISCONNECT, _target(connection), changes)


def _target(connection: LeverConnection) -> AuditTarget:
    return AuditTarget(TargetKind.LEVER_CONNECTION, connection.pk, "Lever")
