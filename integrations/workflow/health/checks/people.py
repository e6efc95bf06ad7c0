"""What waits for a person, and whether there is a person who may act."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.invitation_status import NEED_PERSON, FollowingEnd
from integrations.models import Invitation, Membership, Organization
from integrations.models.invitation_queryset import BOUNCED
from integrations.vocabulary import lower_first
from integrations.workflow.health.findings import ACTIVITY, SETTINGS, Finding
from integrations.workflow.health.wording import MOST_NAMED, counted, listed

ENDED_SHOWN_FOR = timedelta(days=14)


def check_pause(organization: Organization) -> Iterator[Finding]:
    """Yield that the organization is paused."""
    if organization.paused:
        yield Finding(
            organization.slug,
            FindingCode.PAUSED,
            Level.WARNING,
            "The portal is paused. Nothing is sent, and what arrives is kept.",
            "End the pause under Settings when invitations may be sent again.",
            SETTINGS,
        )


def check_super_admin(organization: Organization) -> Iterator[Finding]:
    """Yield that nobody may connect the organization."""
    if not Membership.objects.filter(organization=organization, role=Membership.Role.SUPER_ADMIN).exists():
        yield Finding(
            organization.slug,
            FindingCode.NO_SUPER_ADMIN,
            Level.WARNING,
            "There is no Super Admin, so nobody can change the connections.",
            "Ask the portal's operator to give a member that role, for example with `manage.py configure`.",
            SETTINGS,
        )


def check_waiting_invitations(organization: Organization) -> Iterator[Finding]:
    """Yield the invitations that wait for a person: uncertain, held and bounced ones, and failed candidates."""
    own, status = Invitation.objects.filter(organization=organization), Invitation.Status
    awaits_decision = Q(awaits_decision_since__isnull=False)
    waiting = own.filter(Q(status__in=NEED_PERSON) | awaits_decision | BOUNCED)
    counts = waiting.aggregate(
        uncertain=Count("pk", filter=Q(status=status.UNCERTAIN)),
        held=Count("pk", filter=Q(status=status.HELD)),
        bounced=Count("pk", filter=BOUNCED),
        failed=Count("pk", filter=awaits_decision),
    )
    if number := counts["uncertain"]:
        yield _uncertain(organization, number)
    if number := counts["held"]:
        yield Finding(
            organization.slug,
            FindingCode.HELD_INVITATIONS,
            Level.WARNING,
            f"{counted(number, 'invitation')} {'needs' if number == 1 else 'need'} approval.",
            "An Admin sends or cancels them.",
            ACTIVITY.at("?status=held"),
        )
    if number := counts["bounced"]:
        yield Finding(
            organization.slug,
            FindingCode.BOUNCED_INVITATIONS,
            Level.WARNING,
            f"{counted(number, 'invitation')} bounced: the e-mail address can't be reached.",
            "Correct the address in Lever, then press “Correct and send again” on the candidate's page.",
            ACTIVITY.at("?view=bounced"),
        )
    if number := counts["failed"]:
        yield Finding(
            organization.slug,
            FindingCode.AWAITING_DECISION,
            Level.WARNING,
            f"{counted(number, 'candidate')} failed, and no decision is recorded yet.",
            "Decide in Lever, then press “Decided” on the candidate's page.",
            ACTIVITY.at("?status=awaits_decision"),
        )


def _uncertain(organization: Organization, number: int) -> Finding:
    """Return the finding on invitations of which nobody knows whether they were sent."""
    uncertain = Invitation.objects.filter(organization=organization, status=Invitation.Status.UNCERTAIN)
    named = (
        f"{invitation.assessment_name} (invitation {invitation.pk})"
        for invitation in uncertain.order_by("pk")[:MOST_NAMED]
    )
    return Finding(
        organization.slug,
        FindingCode.UNCERTAIN_INVITATIONS,
        Level.ERROR,
        f"{counted(number, 'invitation')} may or may not have been sent: {listed(named, number)}.",
        "Look for the candidate in CodeScreen. Then say whether the invitation was sent, or send it again.",
        ACTIVITY.at("?status=uncertain"),
    )


def check_ended_following(organization: Organization) -> Iterator[Finding]:
    """Yield how many invitations the portal has lately stopped asking about without a result, and why."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - ENDED_SHOWN_FOR
    ended = Invitation.objects.filter(organization=organization, following_ended_at__gte=since)
    by_reason = ended.ended_without_result().order_by("following_ended").values_list("following_ended")
    counts = dict(by_reason.annotate(number=Count("pk")))
    if counts:
        reasons = listed(f"{number} {lower_first(FollowingEnd(end).label)}" for end, number in counts.items())
        yield Finding(
            organization.slug,
            FindingCode.FOLLOWING_ENDED,
            Level.WARNING,
            f"In the last {ENDED_SHOWN_FOR.days} days, {counted(sum(counts.values()), 'invitation')} ended without a "
            f"result: {reasons}.",
            "If you still need a result, move the candidate into the stage again. To send a new e-mail, cancel the "
            "invitation and send it again.",
            ACTIVITY.at(f"?status=no_longer_followed&since={since:%Y-%m-%d}"),
        )
