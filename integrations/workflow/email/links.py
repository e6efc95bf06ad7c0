"""Addresses of the portal's pages, as they stand in e-mails."""

from django.conf import settings

from integrations.models import Invitation


def candidate_link(invitation: Invitation) -> str:
    """Return the address of the candidate's timeline."""
    return f"{settings.PORTAL_URL}/activity/{invitation.opportunity_id}/"
