"""E-mails with a link to choose a password, for members who have forgotten theirs or whose invitation has expired."""

import logging
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from integrations.models import Effect, EmailTopic, Membership, PasswordLinkRequest
from integrations.models.open_memberships import may_use_password
from integrations.models.password_link_request import ANSWERED_WITHIN
from integrations.workflow.email.links import reset_password_link
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail
from integrations.workflow.outbox.outcome import Crash, run_step

logger = logging.getLogger(__name__)

#: One e-mail per account within each such period.
INTERVAL = timedelta(minutes=15)
DAILY_LIMIT = 6
PRIORITY = 1  # a person waits for it
#: So many requests are answered at a time.
BATCH = 50


def answer_requests() -> int:
    """Answer requests for links, the oldest first; return how many. Safe to run at once and to be killed anywhere.

    One that can't be answered stops no other. It is tried again until its time is over.
    """
    count = 0
    for key in list(PasswordLinkRequest.objects.values_list("pk", flat=True)[:BATCH]):
        outcome = run_step(partial(_answer, key))
        if isinstance(outcome, Crash):
            logger.error("request #%s for a password link failed: %s", key, outcome.traceback)
        count += outcome is True
    return count


@transaction.atomic
def _answer(key: int) -> bool:
    """Answer one request and delete it; False when another worker does or did it."""
    own = PasswordLinkRequest.objects.filter(pk=key)
    request = own.select_for_update(of=("self",), skip_locked=True).first()
    if request is None:
        return False
    if request.requested_at >= timezone.now() - ANSWERED_WITHIN:
        send_links(request.address)
    own.delete()
    return True


def send_links(address: str) -> None:
    """Enqueue an e-mail to every active member with that address, up to a daily limit.

    It goes to the stored address, not to the one that was typed. People who are members of no organization get none:
    their passwords are the operator's business. Nor do those whom only single sign-on lets in.
    """
    members = Membership.objects.filter(user__email__iexact=address, user__is_active=True)
    member_by_user = {
        member.user_id: member
        for member in members.select_related("user", "organization")
        if may_use_password(member.user)
    }
    period = f"{timezone.now().timestamp() // INTERVAL.total_seconds():.0f}"
    with transaction.atomic():
        for member in member_by_user.values():
            if not _has_reached_limit(member):
                enqueue_email(
                    member.organization,
                    EmailTopic.PASSWORD_RESET,
                    f"{member.pk}:{period}",
                    EmailPayload(recipients=(member.user.email,)),
                    member=member,
                    priority=PRIORITY,
                )


def _has_reached_limit(member: Membership) -> bool:
    """Whether the member was sent so many links within a day that more would look like abuse."""
    emails = Effect.objects.filter(member=member, email_topic=EmailTopic.PASSWORD_RESET)
    return emails.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= DAILY_LIMIT


def compose_password_reset(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the member has left, may not sign in, or has another address by now."""
    member = effect.member
    if member is None or not member.user.is_active or member.user.email not in payload.recipients:
        return None
    rendered = RenderedEmail(
        "Choose a new password for the CodeScreen–Lever portal",
        "Someone, probably you, asked for a new password for the portal between Lever and CodeScreen.\n\n"
        f"Your user name is {member.user}. Choose a new password with this link. It works once, within one hour:\n"
        f"{reset_password_link(member.user)}\n\n"
        "If it wasn't you, ignore this e-mail. Your password stays the same.",
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
