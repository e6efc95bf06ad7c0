"""The e-mail that asks a person to join an organization. Its reader may be a stranger who never heard of it."""

import re
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from integrations.models import Effect, EmailTopic, Organization, PendingMembership
from integrations.models.effect import EffectQuerySet
from integrations.workflow.email.membership_links import membership_link
from integrations.workflow.email.notify import effect_key, enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail

LONGEST_NAME = 60
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
#: How many invitations an organization may send within an hour, and to one address within a day.
MOST_PER_HOUR = 30
MOST_PER_ADDRESS = 3
#: How many invitations an address gets within a day from all organizations together; more wait until the next.
MOST_PER_ADDRESS_FROM_ALL = 5
PRIORITY = 1  # a person waits for it


def may_be_invited(organization: Organization, address: str) -> bool:
    """Whether the organization may send another invitation now, and to this address."""
    own = _invitations_within(DAY).filter(organization=organization)
    this_hour = own.filter(created_at__gt=timezone.now() - HOUR)
    return this_hour.count() < MOST_PER_HOUR and own.filter(_to(address)).count() < MOST_PER_ADDRESS


def enqueue_welcome(pending: PendingMembership) -> None:
    """Enqueue the e-mail with the link. It waits where other organizations have invited this address often today.

    To refuse instead would tell this organization about the others.
    """
    earlier = _invitations_within(DAY).filter(_to(pending.email)).order_by("-created_at")
    times = list(earlier.values_list("created_at", flat=True)[:MOST_PER_ADDRESS_FROM_ALL])
    is_often = len(times) == MOST_PER_ADDRESS_FROM_ALL
    enqueue_email(
        pending.organization,
        EmailTopic.WELCOME,
        f"{_digest(pending.email)}:{pending.pk}:{get_random_string(8)}",
        EmailPayload(recipients=(pending.email,), pending_membership=pending.pk),
        priority=PRIORITY,
        wait=times[-1] + DAY - timezone.now() if is_often else timedelta(0),
    )


def compose_welcome(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the person has answered, or the invitation was withdrawn or has run out."""
    rows = PendingMembership.objects.open().filter(organization=effect.organization)
    pending = rows.filter(pk=payload.pending_membership or 0, email__in=payload.recipients).first()
    if pending is None:
        return None
    name = plain_name(effect.organization.name)
    rendered = RenderedEmail(
        f"{name} invites you to the CodeScreen–Lever portal",
        f"An organization that calls itself {name} invites you to join its portal between Lever and CodeScreen as "
        f"{pending.get_role_display()}.\n\n"
        "Accept or decline with this link. It works for one week:\n"
        f"{membership_link(pending)}\n\n"
        "If you don't know them, ignore this e-mail. Nothing happens unless you accept. Please don't forward the link.",
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""), is_branded=False)


def plain_name(name: str) -> str:
    """Return an organization's name as a stranger may read it: short, in one line, and nothing in it becomes a link."""
    words = re.sub(r"[^\w\s.,&'’()+-]", " ", name)
    # a dot within a word makes mail programs see an address in it
    return " ".join(re.sub(r"\.(?=\S)", ". ", words).split())[:LONGEST_NAME].strip() or "somebody"


def _invitations_within(period: timedelta) -> EffectQuerySet:
    sent = Effect.objects.filter(kind=Effect.Kind.SEND_EMAIL, email_topic=EmailTopic.WELCOME)
    return sent.filter(created_at__gt=timezone.now() - period)


def _to(address: str) -> Q:
    """Return the condition that an invitation went to this address, whichever organization sent it."""
    return Q(key__startswith=effect_key(EmailTopic.WELCOME, f"{_digest(address)}:"))


def _digest(address: str) -> str:
    """Return what stands for the address in an effect's key, which is kept when addresses are erased."""
    return salted_hmac("integrations.invitations", address, algorithm="sha256").hexdigest()
