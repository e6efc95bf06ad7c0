"""Links to choose a password, for members who have forgotten theirs or whose invitation has run out."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.models import Effect, Membership
from integrations.workflow.outbox import enqueue

AGAIN_AFTER = timedelta(minutes=15)
MOST_A_DAY = 6


def send_links(address: str) -> None:
    """Ask for an e-mail to every active member with that address; a person gets only so many.

    It goes to the address that is stored, not to the one that was typed. Whoever is a member of nothing gets none:
    their password is the operator's business.
    """
    members = Membership.objects.filter(user__email__iexact=address, user__is_active=True)
    people = {member.user_id: member for member in members.select_related("user", "organization")}
    with transaction.atomic():
        for member in people.values():
            if not _had_enough(member):
                enqueue.enqueue(
                    member.organization,
                    Effect.Kind.SEND_EMAIL,
                    f"{_key(member)}{timezone.now().timestamp() // AGAIN_AFTER.total_seconds():.0f}",
                    payload={"resets": member.pk, "recipients": [member.user.email]},
                    priority=1,  # somebody sits and waits for it
                )


def _key(member: Membership) -> str:
    return f"resets:{member.user_id}:"


def _had_enough(member: Membership) -> bool:
    """Whether the person got so many links within a day that more would be somebody's mischief; the last ones work."""
    lately = timezone.now() - timedelta(days=1)
    rows = Effect.objects.filter(
        organization=member.organization_id, kind=Effect.Kind.SEND_EMAIL, created_at__gt=lately
    )
    return rows.filter(key__startswith=_key(member)).count() >= MOST_A_DAY
