"""E-mails about an organization's connection to Lever: broken, about to end, working again."""

from django.conf import settings
from django.utils import timezone

from integrations.models import Effect, EmailKind, LeverConnection, Organization
from integrations.workflow.email.notify import notify_members


def notify_reconnect_needed(organization: Organization) -> None:
    """Tell the Admins, once per breakage, that Lever no longer accepts the grant."""
    grant = LeverConnection.objects.filter(
        organization=organization, state=LeverConnection.State.NEEDS_RECONNECT
    ).first()
    if grant is not None:
        notify_members(
            organization,
            f"reconnect:{grant.generation}",
            "Lever needs to be reconnected",
            [
                grant.state_reason,
                "What arrives meanwhile is kept, and decided when the connection is back.",
                f"A Super Admin can reconnect it here: {settings.PORTAL_URL}/settings/",
            ],
        )


WARN_DAYS = (1, 7, 30)


def notify_grant_ends(grant: LeverConnection) -> None:
    """Tell the Admins 30, 7 and 1 days before Lever's grant ends, once each."""
    if grant.ends_at is None or grant.connected_at is None:
        return
    left = (grant.ends_at - timezone.now()).total_seconds() / 86400
    step = next((days for days in WARN_DAYS if left <= days), None)
    if step is None:
        return
    notify_members(
        grant.organization,
        f"forecast:{grant.connected_at:%Y-%m-%dT%H:%M:%S}:{step}",
        f"Lever must be reconnected by {grant.ends_at:%-d %B %Y}",
        [
            "Lever ends every connection a year after it was made. Reconnecting takes a minute and loses nothing.",
            f"A Super Admin can do it here: {settings.PORTAL_URL}/settings/",
        ],
        kind=EmailKind.FORECAST,
        variables={"end_date": f"{grant.ends_at:%-d %B %Y}", "days_left": str(max(0, round(left)))},
    )


def notify_reconnected(organization: Organization) -> None:
    """Tell the Admins that Lever works again, where they were told that it didn't."""
    told = Effect.objects.filter(
        organization=organization, kind=Effect.Kind.SEND_EMAIL, key__startswith="reconnect:"
    )
    last = told.order_by("-pk").first()
    if last is not None:
        notify_members(
            organization,
            f"back:{last.key}",
            "Lever is connected again",
            ["What arrived meanwhile is being decided now."],
            kind=EmailKind.ALL_CLEAR,
        )
