"""Candidates in each state that their page can show."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
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

STAGE = "stage-codescreen"


class History:
    """One candidate's rows, made a minute apart from a time on."""

    def __init__(self, organization, opportunity_id: str, name: str, since: datetime, **columns: Any) -> None:
        self.organization, self.opportunity_id, self.name = organization, opportunity_id, name
        self.now = since
        self.own = {"organization": organization, "opportunity_id": opportunity_id}
        self.columns = {"role_title": "Backend Engineer", **columns}

    def later(self, **amount: float) -> datetime:
        """Let time pass, a minute unless given. Return the new time."""
        self.now += timedelta(**(amount or {"minutes": 1}))
        return self.now

    def moved(
        self, verdict: str, explanation: str, invitation: Invitation | None = None, **columns: Any
    ) -> Any:
        """Let the candidate enter the stage, and be decided about at once."""
        return factories.DeliveryFactory.create(
            **self.own,
            received_at=self.later(),
            decided_at=self.later(seconds=1),
            verdict=verdict,
            explanation=explanation,
            invitation=invitation,
            due_at=None,
            payload={"event": "candidateStageChange", "data": {"toStageId": STAGE}},
            **columns,
        )

    def invitation(self, status: str, **columns: Any) -> Invitation:
        """Make an invitation in this status."""
        values = (
            {"instance_id": f"i-{self.opportunity_id}-{columns.get('round', 1)}"} if status != "held" else {}
        )
        return factories.InvitationFactory.create(
            **self.own,
            candidate_name=self.name,
            status=status,
            created_at=self.later(),
            changed_at=self.now,
            **{**self.columns, **values, **columns},
        )

    def result(self, invitation: Invitation, **columns: Any) -> Result:
        """Let CodeScreen complete the invitation with this result."""
        invitation.status, invitation.completed_at = "completed", self.later()
        invitation.changed_at = self.now
        invitation.save()
        return Result.objects.create(invitation=invitation, created_at=self.now, **columns)

    def effect(self, kind: str, payload: dict[str, Any], state: str = "done", **columns: Any) -> Effect:
        """Make an effect that was performed, or ended in another state."""
        at = self.later()
        return factories.EffectFactory.create(
            **self.own,
            kind=kind,
            payload=payload,
            state=state,
            due_at=columns.pop("due_at", None),
            created_at=at,
            done_at=at if state == "done" else None,
            failed_at=at if state == "failed" else None,
            attempts=1,
            correlation_id=f"c-{self.opportunity_id}",
            **columns,
        )

    def call(self, method: str, path: str, status: int = 200, **columns: Any) -> ApiCall:
        """Make the record of a call."""
        return ApiCall.objects.create(
            **self.own,
            platform="codescreen",
            method=method,
            path=path,
            status=status,
            duration_ms=87,
            correlation_id=f"c-{self.opportunity_id}",
            at=self.later(),
            **columns,
        )

    def poll(self, status: str, **columns: Any) -> ApiCall:
        """Make the record of a poll that CodeScreen answered with this status."""
        path = f"/assessments/instances/{self.opportunity_id}"
        return self.call("GET", path, response_body=json.dumps({"status": status}), **columns)


REPORT = "https://app.codescreen.example/reports/7f3a"
SENT = "The assessment is “Backend”, because of the tag “CodeScreen Backend”."
UNKNOWN = "CodeScreen has no assessment “Bakend”. The name comes from the tag. Did you mean “Backend”?"
NOTE = f"CodeScreen: no assessment was sent. {UNKNOWN}"
ON_HOLD = "Waits for approval: more than 2 candidates in 10 minutes."
TAG = "CodeScreen: Assessment Completed"


def passed(made: History, _: User) -> None:
    """Somebody who passed, with everything written to Lever; CodeScreen was asked seventy-five times."""
    invitation = made.invitation("pending")
    made.moved("invite", SENT, invitation)
    sending = made.effect("send_invitation", {}, invitation=invitation)
    made.call("POST", "/assessments/send", effect=sending)
    invitation.invited_at = made.now
    made.effect("set_progress_tag", {"tag": "CodeScreen: Candidate Invited"}, invitation=invitation)
    made.poll("Not Started", repeats=14, last_at=made.now + timedelta(hours=8))
    made.later(hours=9)
    invitation.started_at = made.later(hours=1)
    made.poll("In Progress", repeats=59, last_at=made.now + timedelta(hours=1))
    invitation.submitted_at = made.later(hours=2)
    result = made.result(invitation, outcome="Passed", score=82, rating=4, report_url=REPORT)
    words = [["Rating", "4 - Strong Hire"], ["CodeScreen score", "82"], ["Failure reason", ""]]
    feedback = {"fields": words, "is_kept": True}
    made.effect("write_feedback", {"result": result.pk}, written=feedback, invitation=invitation)
    tags = {"tags": [TAG, "cs-passed"], "removed": ["CodeScreen: Assessment in Progress"], "is_kept": True}
    made.effect("set_progress_tag", {"tag": TAG}, written=tags, invitation=invitation)
    made.effect("add_report_link", {"url": REPORT}, invitation=invitation)
    made.effect("move_stage", {"stage": "Onsite interview"}, invitation=invitation)
    subject = {"subject": "Alder: Passed 82 (Backend)"}
    made.effect("send_email", subject, invitation=invitation, email_topic="result")


def failed(made: History, _: User) -> None:
    """Somebody who failed; the feedback could not be written."""
    invitation = made.invitation("pending")
    made.moved("invite", SENT, invitation)
    invitation.invited_at = made.later()
    invitation.started_at = made.later(hours=3)
    invitation.submitted_at = made.later(hours=4)
    result = made.result(invitation, outcome="Failed", score=12, rating=1, failure_reason="Unit Tests")
    invitation.save()
    refused = "lever answered 403 to POST feedback: Forbidden"
    made.effect("write_feedback", {"result": result.pk}, "failed", invitation=invitation, last_error=refused)
    made.effect("set_progress_tag", {"tag": TAG}, invitation=invitation)


def ended(made: History, _: User, **result: Any) -> None:
    """Somebody of whom CodeScreen says this the next day, and nothing before."""
    invitation = made.invitation("pending")
    made.moved("invite", SENT, invitation)
    invitation.invited_at = made.later()
    made.later(hours=30)
    made.result(invitation, **result)


def not_invited(made: History, _: User) -> None:
    """Somebody whose tag names no assessment."""
    delivery = made.moved("unknown_assessment", UNKNOWN)
    factories.CandidateFactory.create(
        **made.own, name=made.name, delivery=delivery, entered_at=delivery.received_at
    )
    made.effect("leave_note", {"text": NOTE, "code": "unknown_assessment"})


def waits(made: History, _: User, verdict: str, explanation: str, status: str, **columns: Any) -> None:
    """Somebody whose invitation waits for a person."""
    made.moved(verdict, explanation, made.invitation(status, **columns))


def in_progress(made: History, _: User) -> None:
    """Somebody at work on it, whose tag waits for the next try."""
    invitation = made.invitation("pending")
    made.moved("invite", SENT, invitation)
    invitation.invited_at, invitation.started_at = made.later(), made.later(hours=20)
    invitation.status = "in_progress"
    invitation.save()
    made.effect(
        "set_progress_tag",
        {"tag": "CodeScreen: Assessment in Progress"},
        "due",
        invitation=invitation,
        due_at=timezone.now() + timedelta(minutes=3),
        last_error="lever answered 503",
    )


def three_rounds(made: History, person: User) -> None:
    """Somebody whose first round expired, whose second was cancelled, and who has the third."""
    ended(made, person, outcome="Expired")
    reason = "A person cancelled tracking."
    second = made.invitation("withdrawn", round=2, invited_at=made.later(hours=2), status_reason=reason)
    target = AuditTarget(TargetKind.INVITATION, second.pk, "Backend")
    audit(target, person, AuditAction.INVITE_AGAIN, {}, "They asked for it.", organization=made.organization)
    made.invitation("invited", round=3, invited_at=made.later(hours=3))


def erased(made: History, _: User) -> None:
    """Somebody anonymized by Lever after they had passed."""
    made.name = ""
    invitation = made.invitation("pending", email="")
    made.moved("invite", "", invitation)
    invitation.invited_at = made.later()
    made.result(invitation, outcome="Passed", score=90, rating=4)
    made.effect("leave_note", {}, invitation=invitation)
    made.effect("write_feedback", {"result": 1}, invitation=invitation)
    Erasure.objects.create(**made.own, cause="anonymized", erased_at=timezone.now())


STATES: dict[str, Callable[[History, User], None]] = {
    "passed": passed,
    "failed": failed,
    "expired": partial(ended, outcome="Expired"),
    "unstated": partial(ended, score="71.5", rating=3, attempt=2),
    "not-invited": not_invited,
    "held": partial(waits, verdict="held_for_approval", explanation=ON_HOLD, status="held"),
    "uncertain": partial(waits, verdict="invite", explanation=SENT, status="uncertain", instance_id=""),
    "in-progress": in_progress,
    "three-rounds": three_rounds,
    "erased": erased,
}


def make(organization: Organization, person: User, state: str) -> str:
    """Make the candidate in this state, who entered two days ago. Return the address of their page."""
    Stage.objects.get_or_create(
        organization=organization, external_id=STAGE, defaults={"name": "CodeScreen Assessment"}
    )
    made = History(organization, f"o-{state}", "Candidate Alder", timezone.now() - timedelta(days=2))
    STATES[state](made, person)
    return reverse("candidate", args=[made.opportunity_id])
