"""Connect and disconnect an organization's Lever account; whether a grant is for another account than before."""

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.clients import provider
from integrations.effects.kinds.feedback import enqueue_template
from integrations.http.session import PlatformError
from integrations.http.shapes import JsonObject
from integrations.lever.lookups import LeverUser
from integrations.lever.models.connection import LeverConnection, person_text
from integrations.lever.oauth import claims
from integrations.notifications import notify
from integrations.organizations.acts.organizations import requeue_waiting
from integrations.organizations.models.organization import Organization


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
        notify.notify_reconnected(organization)
        requeue_waiting(organization)
        is_other = bool(before) and before != lever_account_id
        changes = {"lever_account_id": (before, lever_account_id)} if is_other else {}
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


@dataclass(frozen=True)
class LeverGrant:
    """What a consent gave: Lever's token answer, the account, and who signed in; empty where Lever doesn't say."""

    tokens: JsonObject = field(repr=False)
    account_id: str
    user_id: str
    user_name: str
    user_email: str

    @property
    def giver(self) -> str:
        """Who signed in to Lever, with their address; empty where Lever didn't say."""
        return person_text(self.user_name, self.user_email)


def read_grant(organization: Organization, tokens: JsonObject) -> LeverGrant:
    """Return the grant of a token answer, with the name of who gave it if Lever tells."""
    access_token = str(tokens["access_token"])
    found = claims(access_token)
    user = _user(organization, access_token, found.account_id, found.user_id)
    return LeverGrant(tokens, found.account_id, found.user_id, user.name, user.email)


def _user(organization: Organization, access_token: str, account_id: str, user_id: str) -> LeverUser:
    nobody = LeverUser(id="", is_active=False, is_super_admin=False)
    if not user_id:
        return nobody
    try:
        return provider.lever_client_with(organization, access_token, account_id).user(user_id)
    except PlatformError:
        return nobody  # a name is worth no failed consent


def account_before(organization: Organization, grant: LeverGrant) -> LeverConnection | None:
    """Return the stored connection if it is to another Lever account than the grant's, as far as Lever tells."""
    stored = LeverConnection.objects.filter(organization=organization).first()
    if stored is None or not stored.lever_account_id or not grant.account_id:
        return None
    return stored if stored.lever_account_id != grant.account_id else None


def use_grant(organization: Organization, grant: LeverGrant, person: User) -> LeverConnection:
    """Connect the organization to the grant's Lever account."""
    return connect_lever(
        organization,
        grant.tokens,
        person,
        lever_user_id=grant.user_id,
        lever_account_id=grant.account_id,
        lever_user_name=grant.user_name,
        lever_user_email=grant.user_email,
    )
