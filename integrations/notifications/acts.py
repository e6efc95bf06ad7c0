"""Choose e-mails, and the chat room that results and problems are posted to."""

from collections.abc import Mapping

from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import audit_and_tell
from integrations.notifications.alerts import check_chat_url, host_of, post
from integrations.notifications.models.email_kind import EmailKind, gets
from integrations.notifications.rendering import render
from integrations.organizations.models.organization import Organization
from integrations.store.encryption import sealed

FIRST_MESSAGE = "Results and problems of the CodeScreen–Lever portal are posted here from now on."


def choose_emails(member: Membership, chosen: Mapping[EmailKind, bool], actor: Actor) -> bool:
    """Store which kinds a member gets; return whether that differs."""
    changed = {kind: is_chosen for kind, is_chosen in chosen.items() if gets(member, kind) != is_chosen}
    if not changed:
        return False
    changes = {str(kind.label): (gets(member, kind), is_chosen) for kind, is_chosen in changed.items()}
    with transaction.atomic():
        for kind, is_chosen in changed.items():
            setattr(member, kind.record.column, is_chosen)
        member.save(update_fields=[kind.record.column for kind in changed])
        audit(member, actor, AuditAction.CHOOSE_EMAILS, changes)
    return True


def save_chat_url(organization: Organization, url: str, actor: Actor) -> bool:
    """Post to this chat room from now on, to none where `url` is empty; return whether that differs.

    A new room is told so first. Raises ValidationError, and PlatformError where it doesn't accept that.
    """
    if url == organization.chat_url:
        return False
    if url:
        check_chat_url(url)
        post(url, render(FIRST_MESSAGE, ()))
    with transaction.atomic():
        before = Organization.objects.lock(organization.pk).chat_url
        Organization.objects.filter(pk=organization.pk).update(
            **sealed(organization, chat_url=url), chat_failure=""
        )
        changes = {"chat_room": (host_of(before), host_of(url))}
        audit_and_tell(organization, actor, AuditAction.CHANGE_CHAT_ROOM, changes)
    return True
