"""Apply a CodeScreen webhook: it makes an invitation due for a poll, and is never taken as the answer.

Source of the event types: the account's webhook extension (Standard Webhooks), where an account has it.
"""

from django.db import transaction
from django.db.models.functions import Now

from integrations.codescreen.payloads import WebhookHint
from integrations.core.invitation_status import ON_THE_WAY
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.effects.kinds.tags import enqueue_progress_tag
from integrations.effects.sending import mark_invited
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models import EmailTopic
from integrations.notifications.names import candidate_names
from integrations.notifications.notify import notify_members
from integrations.notifications.payload import InvitationUnchanged
from integrations.organizations.models.organization import Organization
from integrations.store import database

SUBMITTED, EMAIL_BOUNCED = "candidate.submitted", "candidate.email_bounced"


def apply_hint(organization: Organization, hint: WebhookHint) -> Invitation | None:
    """Make the invitation that a webhook names due for a poll and return it; None when the portal didn't send it.

    An invitation that a person stopped isn't polled. A webhook that carries the invitation's external id also confirms
    an uncertain one, even if a person has since requested that it be sent again.
    """
    rows = Invitation.objects.filter(organization=organization)
    invitation = rows.filter(instance_id=hint.instance_id).first() if hint.instance_id else None
    if invitation is None and hint.external_id and hint.instance_id:
        unconfirmed = [status for status in ON_THE_WAY if status != Status.HELD]
        waiting = rows.filter(external_id=hint.external_id, status__in=unconfirmed, instance_id="")
        invitation = waiting.first()
        if invitation is not None:
            mark_invited(invitation, hint.instance_id)
    if invitation is None or invitation.stopped_by_user or invitation.erased_at is not None:
        return invitation
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=Now())
    if hint.type == SUBMITTED:
        _record_submission(invitation)
    if hint.type == EMAIL_BOUNCED:
        _record_bounce(invitation)
    return invitation


def _record_bounce(invitation: Invitation) -> None:
    """Record that the invitation's e-mail bounced, and tell the members; nothing once it was started."""
    with transaction.atomic():
        is_new = Invitation.objects.filter(
            pk=invitation.pk, status=Status.INVITED, bounced_at__isnull=True
        ).update(bounced_at=database.now())
        if is_new:
            _notify_bounce(invitation)


def _notify_bounce(invitation: Invitation) -> None:
    notify_members(
        invitation.organization,
        EmailTopic.INVITATION_BOUNCED,
        str(invitation.pk),
        subject="The invitation bounced",
        lines=[
            f"“{invitation.assessment_name}” could not be delivered, because the e-mail address doesn't exist.",
            "Correct the address in Lever. Then press “Correct and send again” on the candidate's page.",
        ],
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
    )


def _record_submission(invitation: Invitation) -> None:
    """Record a submission, which only a webhook reports: CodeScreen's status stays In_Progress until the evaluation."""
    now = database.now()
    with transaction.atomic():
        invitation = Invitation.objects.reread_locked(invitation)
        was_started = invitation.status == Status.IN_PROGRESS
        if not was_started and invitation.status != Status.INVITED:
            return
        invitation.move(Status.SUBMITTED, submitted_at=now, started_at=invitation.started_at or now)
        if not was_started:  # the start is reported later, or never
            enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
        _notify_submission(invitation)


def _notify_submission(invitation: Invitation) -> None:
    """Notify the members who chose it; not once the result is there, which has an e-mail of its own."""
    names = candidate_names(invitation)
    notify_members(
        invitation.organization,
        EmailTopic.SUBMITTED,
        f"{invitation.pk}:{invitation.changed_at.isoformat()}",
        subject="The assessment was submitted",
        lines=[
            f"“{invitation.assessment_name}” was submitted. CodeScreen is evaluating it, and the result follows.",
        ],
        variables=names,
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
    )
