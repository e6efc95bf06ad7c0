"""E-mails about an organization's connection to Lever: it broke, it ends soon, it works again."""

from django.utils import timezone

from integrations.models import Effect, EmailTopic, LeverConnection, Organization
from integrations.workflow.email.links import settings_link
from integrations.workflow.email.notify import notify_members

WARN_DAYS = (1, 7, 30)


def notify_reconnect_needed(organization: Organization) -> None:
    """Enqueue an e-mail that Lever no longer accepts the grant, once per grant; nothing while it is accepted."""
    grant = LeverConnection.objects.filter(
        organization=organization, state=LeverConnection.State.NEEDS_RECONNECT
    ).first()
    if grant is None:
        return
    notify_members(
        organization,
        EmailTopic.RECONNECT_NEEDED,
        str(grant.generation),
        subject="Lever needs to be reconnected",
        lines=[
            grant.state_reason,
            "Nothing is lost: what arrives is kept and processed when Lever is connected again.",
            f"A Super Admin can reconnect Lever under Settings: {settings_link()}",
        ],
    )


def notify_grant_ends(grant: LeverConnection) -> None:
    """Enqueue an e-mail 30, 7 and 1 days before Lever's grant ends, once each."""
    if grant.ends_at is None or grant.connected_at is None:
        return
    days_left = (grant.ends_at - timezone.now()).total_seconds() / 86400
    step = next((days for days in WARN_DAYS if days_left <= days), None)
    if step is None:
        return
    end_date = f"{grant.ends_at:%-d %B %Y}"
    notify_members(
        grant.organization,
        EmailTopic.CONNECTION_ENDS,
        f"{grant.connected_at:%Y-%m-%dT%H:%M:%S}:{step}",
        subject=f"Lever must be reconnected by {end_date}",
        lines=[
            "Lever ends every connection after one year. Reconnecting takes a minute, and nothing is lost.",
            f"A Super Admin can reconnect Lever under Settings: {settings_link()}",
        ],
        variables={"end_date": end_date, "days_left": str(max(0, round(days_left)))},
    )


def notify_reconnected(organization: Organization) -> None:
    """Enqueue an e-mail that Lever works again, once for each e-mail that it didn't; nothing without one."""
    warning = (
        Effect.objects.filter(
            organization=organization,
            kind=Effect.Kind.SEND_EMAIL,
            email_topic=EmailTopic.RECONNECT_NEEDED,
        )
        .order_by("-pk")
        .first()
    )
    if warning is None:
        return
    notify_members(
        organization,
        EmailTopic.RECONNECTED,
        str(warning.pk),
        subject="Lever is connected again",
        lines=["What arrived in the meantime is being processed now."],
    )
