"""Candidates in each state that their page can show."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.catalog.models import Stage
from integrations.clients.models import ApiCall
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from tests.support import factories


class History:
    """One candidate's rows, made a minute apart from a time on."""

    def __init__(self, organization, state: str, since: datetime) -> None:
        self.own = {"organization": organization, "opportunity_id": f"o-{state}"}
        self.now = since

    def later(self, **amount: float) -> datetime:
        """Let time pass, a minute unless given. Return the new time."""
        self.now += timedelta(**(amount or {"minutes": 1}))
        return self.now

    def moved(self, verdict: str, explanation: str, invitation: Invitation | None = None) -> Any:
        """Let the candidate enter the stage, and be decided about at once."""
        return factories.DeliveryFactory.create(
            **self.own,
            received_at=self.later(),
            decided_at=self.later(seconds=1),
            verdict=verdict,
            explanation=explanation,
            invitation=invitation,
            due_at=None,
        )

    def invitation(self, status: str, **columns: Any) -> Invitation:
        """Make an invitation in this status."""
        is_out = status not in {"held", "uncertain"}
        instance_id = f"i-{self.own['opportunity_id']}-{columns.get('round', 1)}" if is_out else ""
        values = {"instance_id": instance_id, "created_at": self.later(), "changed_at": self.now}
        return factories.InvitationFactory.create(**self.own, status=status, **values | columns)

    def invited(self, status: str = "invited", **columns: Any) -> Invitation:
        """Let the candidate enter the stage and be invited. Return the invitation in this status."""
        invitation = self.invitation(status, **columns)
        self.moved("invite", SENT, invitation)
        invitation.invited_at = self.later()
        invitation.save()
        return invitation

    def result(self, invitation: Invitation, **columns: Any) -> Result:
        """Let CodeScreen complete the invitation with this result."""
        invitation.status, invitation.completed_at = "completed", self.later()
        invitation.changed_at = self.now
        invitation.save()
        return Result.objects.create(invitation=invitation, created_at=self.now, **columns)

    def effect(self, kind: str, payload: dict[str, Any], state: str = "done", **columns: Any) -> Effect:
        """Make an effect that was performed, or ended in another state."""
        at = self.later()
        ended_at = {"done": "done_at", "failed": "failed_at"}.get(state, "created_at")
        values = {"due_at": None, "created_at": at, ended_at: at, "attempts": 1}
        return factories.EffectFactory.create(
            **self.own, kind=kind, payload=payload, state=state, **values | columns
        )

    def call(self, method: str, path: str, **columns: Any) -> ApiCall:
        """Make the record of a call to CodeScreen."""
        values = {"platform": "codescreen", "status": 200, "duration_ms": 87, "at": self.later()}
        return ApiCall.objects.create(**self.own, method=method, path=path, **values | columns)

    def poll(self, status: str, repeats: int) -> None:
        """Make the record of polls that CodeScreen answered with this status, all the same."""
        path, body = f"/assessments/instances/{self.own['opportunity_id']}", json.dumps({"status": status})
        self.call("GET", path, response_body=body, repeats=repeats, last_at=self.now + timedelta(hours=1))


REPORT = "https://app.codescreen.example/reports/7f3a"
SENT = "The assessment is “Backend”, because of the tag “CodeScreen Backend”."
UNKNOWN = "CodeScreen has no assessment “Bakend”. The name comes from the tag. Did you mean “Backend”?"
ON_HOLD = "Waits for approval: more than 2 candidates in 10 minutes."
TAG = "CodeScreen: Assessment Completed"


def passed(made: History) -> None:
    """Somebody who passed, with everything written to Lever; CodeScreen was asked seventy-five times."""
    invitation = made.invited()
    of_it: dict[str, Any] = {"invitation": invitation}
    made.call("POST", "/assessments/send", effect=made.effect("send_invitation", {}, **of_it))
    made.poll("Not Started", repeats=14)
    invitation.started_at = made.later(hours=10)
    made.poll("In Progress", repeats=59)
    invitation.submitted_at = made.later(hours=2)
    result = made.result(invitation, outcome="Passed", score=82, rating=4, report_url=REPORT)
    words = [["Rating", "4 - Strong Hire"], ["CodeScreen score", "82"], ["Failure reason", ""]]
    feedback = {"fields": words, "is_kept": True}
    made.effect("write_feedback", {"result": result.pk}, written=feedback, **of_it)
    tags = {"tags": [TAG, "cs-passed"], "removed": ["CodeScreen: Assessment in Progress"], "is_kept": True}
    made.effect("set_progress_tag", {"tag": TAG}, written=tags, **of_it)
    made.effect("add_report_link", {"url": REPORT}, **of_it)
    made.effect("move_stage", {"stage": "Onsite interview"}, **of_it)
    made.effect("send_email", {"subject": "Alder: Passed 82 (Backend)"}, email_topic="result", **of_it)


def ended(made: History, **result: Any) -> Result:
    """A person about whose test CodeScreen says this the next day, and nothing before."""
    invitation = made.invited()
    made.later(hours=30)
    return made.result(invitation, **result)


def failed(made: History) -> None:
    """Somebody who failed; the feedback could not be written."""
    result = ended(made, outcome="Failed", score=12, rating=1, failure_reason="Unit Tests")
    invitation = result.invitation
    invitation.started_at = invitation.submitted_at = made.now
    invitation.save()
    refused = "lever answered 403 to POST feedback: Forbidden"
    made.effect("write_feedback", {"result": result.pk}, "failed", invitation=invitation, last_error=refused)


def not_invited(made: History) -> None:
    """Somebody whose tag names no assessment."""
    delivery = made.moved("unknown_assessment", UNKNOWN)
    factories.CandidateFactory.create(**made.own, delivery=delivery, entered_at=delivery.received_at)


def waits(made: History, verdict: str, explanation: str, status: str) -> None:
    """Somebody whose invitation waits for a person."""
    made.moved(verdict, explanation, made.invitation(status))


def in_progress(made: History) -> None:
    """Somebody at work on it, whose tag waits for the next try."""
    invitation = made.invited("in_progress", started_at=made.later())
    due = {"due_at": timezone.now() + timedelta(minutes=3), "last_error": "lever answered 503"}
    made.effect("set_progress_tag", {"tag": TAG}, "due", invitation=invitation, **due)


def three_rounds(made: History) -> None:
    """Somebody whose first round expired, whose second was cancelled, and who has the third."""
    ended(made, outcome="Expired")
    reason = "A person cancelled tracking."
    second = made.invitation("withdrawn", round=2, invited_at=made.later(hours=2), status_reason=reason)
    target = AuditTarget(TargetKind.INVITATION, second.pk, "Backend")
    organization = second.organization
    audit(target, "owner", AuditAction.INVITE_AGAIN, {}, "They asked for it.", organization=organization)
    made.invitation("invited", round=3, invited_at=made.later(hours=3))


def erased(made: History) -> None:
    """Somebody anonymized by Lever after they had passed."""
    invitation = made.invited(candidate_name="", email="")
    made.result(invitation, outcome="Passed", score=90, rating=4)
    made.effect("leave_note", {}, invitation=invitation)
    made.effect("write_feedback", {"result": 1}, invitation=invitation)
    Erasure.objects.create(**made.own, cause="anonymized", erased_at=timezone.now())


STATES: dict[str, Callable[[History], object]] = {
    "passed": passed,
    "failed": failed,
    "expired": partial(ended, outcome="Expired"),
    "unstated": partial(ended, score="71.5", rating=3, attempt=2),
    "not-invited": not_invited,
    "held": partial(waits, verdict="held_for_approval", explanation=ON_HOLD, status="held"),
    "uncertain": partial(waits, verdict="invite", explanation=SENT, status="uncertain"),
    "in-progress": in_progress,
    "three-rounds": three_rounds,
    "erased": erased,
}


def make(organization: Organization, state: str) -> str:
    """Make the candidate in this state, who entered two days ago. Return the address of their page."""
    Stage.objects.get_or_create(
        organization=organization, external_id="stage-codescreen", defaults={"name": "CodeScreen Assessment"}
    )
    STATES[state](History(organization, state, timezone.now() - timedelta(days=2)))
    return reverse("candidate", args=[f"o-{state}"])
