"""Send windows that are closed and that open, whatever the time is when the tests run."""

from datetime import UTC, timedelta

from django.utils import timezone

from integrations.core.rules.send_window import DAYS
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from tests.support.factories import a_moment_ago


def hours(begin, end):
    """Return the policies of a window, every day, that begins and ends so many hours from now by UTC."""
    now = timezone.now().astimezone(UTC)
    times = [f"{now + timedelta(hours=shift):%H:%M}" for shift in (begin, end)]
    return {"send_from": times[0], "send_until": times[1], "send_days": list(DAYS)}


CLOSED, OPEN = (3, 4), (-2, 2)


def close_window(scenario, **changes):
    """Let the organization have a window that is closed for some hours, as a person sets it."""
    scenario.set_policies(**hours(*CLOSED) | changes)


def window_opens(scenario):
    """Let so much time pass that the window is open, and work."""
    Organization.objects.update(**hours(*OPEN))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Invitation.objects.filter(status="pending").update(checked_at=an_hour_ago)
    Invitation.objects.filter(send_at__isnull=False).update(send_at=a_moment_ago())
    Effect.objects.filter(kind="send_invitation", state="due").update(due_at=a_moment_ago())
    return scenario.work()


def window_has_closed():
    """Let so much time pass that the window is closed again; nothing is worked."""
    Organization.objects.update(**hours(*CLOSED))
    Effect.objects.filter(kind="send_invitation", state="due").update(due_at=a_moment_ago())
