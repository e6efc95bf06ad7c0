"""Addresses of the portal's pages, for e-mails and for handing out."""

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from integrations.models import Invitation
from integrations.workflow.email.reset_tokens import reset_tokens


def candidate_link(invitation: Invitation) -> str:
    """Return the address of the candidate's timeline."""
    return timeline_link(invitation.opportunity_id)


def timeline_link(opportunity_id: str) -> str:
    """Return the address of the timeline of an opportunity's candidate."""
    return f"{settings.PORTAL_URL}/activity/{opportunity_id}/"


def activity_link() -> str:
    """Return the address of the list of deliveries and invitations."""
    return f"{settings.PORTAL_URL}/activity/"


def settings_link() -> str:
    """Return the address of the organization's settings."""
    return f"{settings.PORTAL_URL}/settings/"


def choose_password_link(user: User) -> str:
    """Return the address at which a person chooses their password; it works once, for a week."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.PORTAL_URL}/invite/{key}/{default_token_generator.make_token(user)}/"


def reset_password_link(user: User) -> str:
    """Return the address at which a person chooses a new password; it works once, for an hour."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.PORTAL_URL}/password/choose/{key}/{reset_tokens.make_token(user)}/"


def forgotten_password_link() -> str:
    """Return the address of the page that sends a link to choose a new password."""
    return f"{settings.PORTAL_URL}/password/forgotten/"
