"""Let time pass for candidates who wait."""

from datetime import timedelta

from django.db.models import F

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import duties, worker
from integrations.queue.models.duty_run import Duty, DutyRun


def minutes_pass(minutes=6):
    """Let all waits have lasted longer, and do what the clock calls for."""
    ago = timedelta(minutes=minutes)
    Invitation.objects.update(changed_at=F("changed_at") - ago)
    Delivery.objects.filter(decided_at__isnull=False).update(decided_at=F("decided_at") - ago)
    Effect.objects.filter(kind="leave_note").update(
        created_at=F("created_at") - ago, due_at=F("due_at") - ago
    )
    clock_strikes()


def clock_strikes():
    """Do what is called for each minute, and the work that follows."""
    duties.plan_duties()
    DutyRun.objects.exclude(duty=Duty.NOTE_WAITS).update(due_at=None)
    worker.perform_duties()
    worker.work()
