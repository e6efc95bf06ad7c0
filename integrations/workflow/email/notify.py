"""Enqueue an e-mail to the members of an organization who want its kind."""

from collections.abc import Mapping
from datetime import timedelta

from integrations.models import Effect, EmailKind, Invitation, NotificationPreference, Organization
from integrations.models.truncated_keys import truncated_key
from integrations.workflow.email import digests
from integrations.workflow.email.links import candidate_link
from integrations.workflow.outbox import enqueue


def notify_members(
    organization: Organization,
    key: str,
    subject: str,
    lines: list[str],
    *,
    kind: str = EmailKind.TROUBLE,
    variables: Mapping[str, str] | None = None,
    invitation: Invitation | None = None,
) -> None:
    """Ask for one e-mail to the members who want that kind; its wording is chosen when it is sent.

    One per `key`: a problem that goes on is told once. What happens to many candidates alike shares an e-mail: the
    first goes out after half a minute, what follows within half an hour of it is gathered into the next.
    """
    members = NotificationPreference.objects.members_who_want(organization, kind)
    recipients = sorted({member.user.email for member in members})
    if not recipients or _already_sent(organization, key):
        return
    if invitation is not None:
        about = {
            "assessment": invitation.assessment_name,
            "role": invitation.role_title,
            "timeline_link": candidate_link(invitation),
        }
        variables = {**about, **(variables or {})}
    group = digests.digest_of(organization, key)
    if group and digests.append_to_digest(organization, group, key, lines):
        return
    enqueue.enqueue(
        organization,
        Effect.Kind.SEND_EMAIL,
        key,
        invitation=invitation,
        payload={
            "kind": str(kind),
            "subject": subject,
            "lines": lines,
            "variables": dict(variables or {}),
            "recipients": recipients,
        },
        priority=8,
        wait=digests.digest_wait(organization, group) if group else timedelta(0),
    )


def _already_sent(organization: Organization, key: str) -> bool:
    rows = Effect.objects.filter(organization=organization, kind=Effect.Kind.SEND_EMAIL)
    return rows.filter(key=truncated_key(key)).exists()
