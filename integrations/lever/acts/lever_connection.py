"""Connect and disconnect an organization's Lever account; whether a grant is for another account than before."""

from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.clients import provider
from integrations.effects.kinds.feedback import enqueue_template
from integrations.http.session import PlatformError
from integrations.http.shapes import JsonObject
from integrations.lever.models.connection import LeverConnection, LeverGrant
from integrations.lever.oauth import claims
from integrations.notifications import notify
from integrations.organizations.acts import requeue_waiting
from integrations.organizations.models.organization import Organization


def connect_lever(organization: Organization, grant: LeverGrant, person: User) -> LeverConnection:
    """Store the grant that a person consented to, and requeue what waited for it; return the connection."""
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        connection = connection or LeverConnection(organization=organization)
        before = connection.lever_account_id
        if not grant.account_id or grant.account_id != before:
            connection.feedback_template_id = ""  # another Lever account has other templates
        connection.accept_grant(grant, person)
        enqueue_template(organization)
        notify.notify_reconnected(organization)
        requeue_waiting(organization)
        is_other = bool(before) and before != grant.account_id
        changes = {"lever_account_id": (before, grant.account_id)} if is_other else {}
        audit(connection, person, AuditAction.CONNECT, changes)
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
        audit(connection, actor, AuditAction.DISCONNECT, changes)


def read_grant(organization: Organization, tokens: JsonObject) -> LeverGrant:
    """Return the grant of a token answer, with the name of who gave it if Lever tells."""
    access_token = str(tokens["access_token"])
    user_id, account_id = claims(access_token)
    grant = LeverGrant(tokens, account_id, user_id)
    if not user_id:
        return grant
    try:
        user = provider.lever_client_with(organization, access_token, account_id).user(user_id)
    except PlatformError:
        return grant  # a name is worth no failed consent
    return replace(grant, user_name=user.name, user_email=user.email)


def account_before(organization: Organization, grant: LeverGrant) -> LeverConnection | None:
    """Return the stored connection if it is to another Lever account than the grant's, as far as Lever tells."""
    stored = LeverConnection.objects.filter(organization=organization).first()
    if stored is None or not stored.lever_account_id or not grant.account_id:
        return None
    return stored if stored.lever_account_id != grant.account_id else None
