"""Enqueue single effects, as what a test is about."""

import uuid

from integrations.case.reconcile import changing
from integrations.case.texts import note_on
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import ProgressTagPayload, enqueue


def enqueue_invitation(invitation: Invitation, *, is_chosen: bool = False) -> None:
    """Make the effects fit the candidate's rows: a pending invitation is sent."""
    with changing(invitation.organization, invitation.opportunity_id) as case:
        if is_chosen:
            case.invitation(invitation.pk).change(is_chosen=True)


def enqueue_note(
    organization: Organization,
    opportunity_id: str,
    code: str,
    text: str,
    *,
    invitation: Invitation | None = None,
) -> None:
    """Enqueue a note on the opportunity, once per opportunity and code."""
    enqueue(
        organization.pk,
        Effect.Kind.LEAVE_NOTE,
        f"{opportunity_id}:{code}",
        note_on(opportunity_id, text, code),
        opportunity_id=opportunity_id,
        invitation=invitation,
    )


def enqueue_progress_tag(invitation: Invitation, tag: str) -> None:
    """Enqueue a progress tag of its own, which no other replaces."""
    enqueue(
        invitation.organization_id,
        Effect.Kind.SET_PROGRESS_TAG,
        f"{invitation.opportunity_id}:{uuid.uuid4().hex}",
        ProgressTagPayload(tag),
        invitation=invitation,
    )
