"""The account in Lever that an organization is connected to, and in whose name the portal writes there."""

from dataclasses import replace

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.lever_probe import look_before_connecting
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverUser
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.oauth import claims, scopes_of
from integrations.lever.permissions import refused_scopes
from integrations.notifications import notify
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.feedback import enqueue_template
from integrations.queue.waiting import requeue_waiting

#: What the log says of a connection that replaces another; secrets are recorded as changed.
_RECORDED = ("lever_account_id", "lever_user_id", "region", "api_key")


def connect_lever(organization: Organization, access: LeverAccess, actor: Actor) -> LeverConnection:
    """Store what a person gave in place of what was stored, and requeue what waited for it; return the connection."""
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        connection = connection or LeverConnection(organization=organization)
        before = {name: getattr(connection, name) for name in _RECORDED}
        if not access.account_id or access.account_id != connection.lever_account_id:
            connection.feedback_template_id = ""  # another Lever account has other templates
        connection.accept(access, actor if isinstance(actor, User) else None)
        enqueue_template(organization)
        notify.notify_reconnected(organization)
        requeue_waiting(organization)
        after = {name: getattr(connection, name) for name in _RECORDED}
        if not (before["lever_account_id"] and after["lever_account_id"]):
            after["lever_account_id"] = before["lever_account_id"]  # whether it is another one isn't known
        changes = {name: (before[name], after[name]) for name in _RECORDED if before[name] != after[name]}
        audit_and_tell(connection, actor, AuditAction.CONNECT, changes)
    return connection


def disconnect_lever(organization: Organization, actor: Actor) -> None:
    """Delete Lever's tokens or key. Deliveries are stored from now on and decided once Lever is connected again."""
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        if connection is None:
            return
        before = connection.state
        connection.disconnect(f"Disconnected by {actor}.")
        changes = {"state": (before, connection.state)}
        audit_and_tell(connection, actor, AuditAction.DISCONNECT, changes)


def connect_by_consent(organization: Organization, access: LeverAccess, actor: Actor) -> LeverConnection:
    """Connect Lever by what a person consented to, after a look at the webhooks in Lever."""
    look_before_connecting(organization, provider.lever_client_with(organization, access))
    return connect_lever(organization, access, actor)


def connect_by_key(
    organization: Organization, access: LeverAccess, user_id: str, actor: Actor
) -> LeverConnection:
    """Connect Lever by an API key, in the name of one of its users; what Lever refuses is stored at once.

    Raises ActionNotAllowed for somebody who isn't an active user in Lever, and PlatformError.
    """
    lever = provider.lever_client_with(organization, access)
    user = _active_user(lever, user_id)
    refused = refused_scopes(lever, scopes_of(attaches_files=organization.attach_report))
    access = replace(access, user_id=user.id, user_name=user.name, user_email=user.email)
    look_before_connecting(organization, lever)
    connection = connect_lever(organization, access, actor)
    connection.note_refused(refused)
    return connection


def _active_user(lever: LeverClient, user_id: str) -> LeverUser:
    user = next((user for user in lever.active_users() if user.id == user_id), None)
    if user is None:
        raise ActionNotAllowed("Lever doesn't list that user as active: choose another.")
    return user


def checked_key(api_key: str) -> str:
    """Return the key without spaces around it. Raises ValidationError, with the fix, for what can't be a key."""
    api_key = api_key.strip()
    if (
        not api_key
        or len(api_key) > 500
        or not (api_key.isascii() and api_key.isprintable())
        or ":" in api_key
    ):
        raise ValidationError("Copy the whole API key from Lever: plain characters, without line breaks.")
    return api_key


def read_grant(organization: Organization, tokens: JsonObject, region: str) -> LeverAccess:
    """Return what a token answer gives, with the name of who signed in if Lever tells."""
    user_id, account_id = claims(str(tokens["access_token"]))
    access = LeverAccess(tokens, account_id, user_id, region=region)
    if not user_id:
        return access
    try:
        user = provider.lever_client_with(organization, access).user(user_id)
    except PlatformError:
        return access  # a name is worth no failed consent
    return replace(access, user_name=user.name, user_email=user.email)


def account_before(organization: Organization, access: LeverAccess) -> LeverConnection | None:
    """Return the stored connection if it is to another Lever account, as far as Lever tells."""
    stored = LeverConnection.objects.filter(organization=organization).first()
    return stored if stored is not None and stored.is_to_another_account(access) else None


def choose_feedback_author(organization: Organization, lever: LeverClient, user_id: str, actor: Actor) -> str:
    """Store the author of feedback with the name that Lever gives; empty means who connected. Return the name.

    Raises ActionNotAllowed for somebody who isn't an active user in Lever, and PlatformError.
    """
    name = _active_user(lever, user_id).name[:300] if user_id else ""
    with transaction.atomic():
        connection = LeverConnection.objects.select_for_update(of=("self",)).get(organization=organization)
        changes = {"feedback_author": (connection.feedback_author, user_id)}
        connection.feedback_author, connection.feedback_author_name = user_id, name
        connection.save(update_fields=["feedback_author", "feedback_author_name"])
        audit(connection, actor, AuditAction.CHANGE_POLICIES, changes)
    return name
