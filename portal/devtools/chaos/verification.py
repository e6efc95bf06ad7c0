"""Verifies what became of each candidate by both platforms' ledgers, with the portal's rows only beside them."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Count, Sum

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import INVITING_VERDICTS
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos.interruptions import Interrupted, Interruption
from portal.devtools.chaos.run import Verification, Violation
from portal.devtools.chaos.tenants import SECOND_TRIGGER, TRIGGER
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.faults import DEFINITE_STATUSES
from portal.devtools.sandbox.values import JsonObject

#: The progress tag that Lever has to show, by CodeScreen's phase of the assessment.
TAGS = {
    "not_started": "CodeScreen: Candidate Invited",
    "in_progress": "CodeScreen: Assessment in Progress",
    "submitted": "CodeScreen: Assessment in Progress",
    "complete": "CodeScreen: Assessment Completed",
}
SENT = frozenset(
    {
        InvitationStatus.INVITED,
        InvitationStatus.IN_PROGRESS,
        InvitationStatus.SUBMITTED,
        InvitationStatus.COMPLETED,
    }
)
#: What can end a call of the workers without its answer; after TERM they wait for it.
AMBIGUOUS = frozenset({Interrupted.WORKERS, Interrupted.FREEZE})
CALL_SECONDS = 8.0  # within which a call that was begun has ended, one way or the other


@dataclass(frozen=True)
class InvitationRow:
    """What the portal itself has on one invitation."""

    opportunity: str
    status: str
    attempt_started_at: float | None = None


@dataclass(frozen=True)
class Evidence:
    """One organization's evidence: both platforms' ledgers, and what is needed to read them."""

    lever: JsonObject
    codescreen: JsonObject
    rows: Collection[InvitationRow]
    moved: Collection[str]
    trigger_stages: Collection[str]
    with_delivery: Collection[str] = ()  # the opportunities that the portal has a delivery of
    worker_kills: Collection[float] = ()

    def candidates(self) -> "Iterator[CandidateEvidence]":
        """Yield the evidence about each candidate who was moved."""
        invitations: dict[str, list[JsonObject]] = {}
        for invitation in self.codescreen["invitations"]:
            invitations.setdefault(invitation["email"].casefold(), []).append(invitation)
        rows: dict[str, list[InvitationRow]] = {}
        for row in self.rows:
            rows.setdefault(row.opportunity, []).append(row)
        for opportunity in self.moved:
            lever = self.lever["opportunities"][opportunity]
            sent = invitations.get(lever["emails"][0].casefold(), [])
            yield CandidateEvidence(opportunity, lever, sent, rows.get(opportunity, []))


@dataclass(frozen=True)
class CandidateEvidence:
    """What Lever, CodeScreen and the portal have on one candidate."""

    opportunity: str
    lever: JsonObject
    invitations: list[JsonObject] = field(default_factory=list)
    rows: list[InvitationRow] = field(default_factory=list)

    @property
    def email(self) -> str:
        """The address that CodeScreen invites."""
        return str(self.lever["emails"][0]).casefold()

    @property
    def emails_sent(self) -> int:
        """How many invitations CodeScreen sent."""
        return sum(invitation["emails_sent"] for invitation in self.invitations)

    @property
    def progress_tags(self) -> list[str]:
        """The progress tags that Lever shows."""
        return [tag for tag in self.lever["tags"] if tag.startswith("CodeScreen:")]

    @property
    def is_withdrawn(self) -> bool:
        """Whether the portal stopped following an invitation."""
        return any(row.status == InvitationStatus.WITHDRAWN for row in self.rows)

    @property
    def is_sent_by_rows(self) -> bool:
        """Whether the portal knows that an invitation was sent."""
        return any(row.status in SENT for row in self.rows)


def verify(evidence: Evidence) -> Verification:
    """Return what became of everybody who was moved."""
    verification = Verification()
    accepted = {
        delivery["subject"] for delivery in evidence.lever["deliveries"] if delivery["state"] == "delivered"
    }
    for candidate in evidence.candidates():
        opportunity = candidate.opportunity
        if opportunity in accepted and opportunity not in evidence.with_delivery:
            verification.record_violation(Violation.ACCEPTED_WITHOUT_ROW, opportunity)
        _verify_invitations(verification, evidence, candidate)
        _verify_uncertain_rows(verification, evidence, candidate)
        if candidate.is_sent_by_rows and candidate.invitations:
            _verify_lever(verification, candidate)
        elif len(candidate.progress_tags) > 1 and candidate.is_withdrawn:
            verification.record_violation(Violation.TAGS_WRONG, opportunity)
    return verification


def _verify_invitations(verification: Verification, evidence: Evidence, candidate: CandidateEvidence) -> None:
    verification.counts["emails"] += candidate.emails_sent
    verification.counts["candidates"] += bool(candidate.emails_sent)
    if any(invitation["emails_sent"] > 1 for invitation in candidate.invitations):
        verification.record_violation(Violation.INVITED_TWICE, candidate.opportunity)
    is_uncertain = any(row.status == InvitationStatus.UNCERTAIN for row in candidate.rows)
    if candidate.lever["stage"] not in evidence.trigger_stages or is_uncertain:
        return
    if not candidate.emails_sent:
        verification.record_violation(Violation.LOST, candidate.opportunity)
    elif not candidate.is_sent_by_rows:
        verification.record_violation(Violation.UNSETTLED, candidate.opportunity)


def _verify_uncertain_rows(
    verification: Verification, evidence: Evidence, candidate: CandidateEvidence
) -> None:
    """Check that each uncertain invitation had a reason to be."""
    uncertain = [row for row in candidate.rows if row.status == InvitationStatus.UNCERTAIN]
    verification.counts["uncertain"] += len(uncertain)
    verification.counts["uncertain_sent"] += len(uncertain) if candidate.emails_sent else 0
    for row in uncertain:
        if _has_ambiguous_fault(evidence.codescreen, candidate):
            verification.counts["explained_by_fault"] += 1
        elif _was_interrupted(row, evidence.worker_kills):
            verification.counts["explained_by_kill"] += 1
        else:
            verification.record_violation(Violation.UNEXPLAINED, candidate.opportunity)


def _has_ambiguous_fault(codescreen: JsonObject, candidate: CandidateEvidence) -> bool:
    """Whether a fault at CodeScreen left the caller without knowing if the candidate was invited."""
    if any(invitation["ambiguous"] for invitation in candidate.invitations):
        return True
    return any(
        is_ambiguous(name)
        for subject, faults in codescreen["other_faults"].items()
        if subject.split(" ")[0] == candidate.email
        for name in faults
    )


def is_ambiguous(name: str) -> bool:
    """Whether a fault, by its name in the ledger, leaves a caller without knowing if the call took effect."""
    kind = name.partition(":")[0]
    status = re.fullmatch(r"status_(\d+)", kind)
    return int(status.group(1)) not in DEFINITE_STATUSES if status else kind != "delay"


def _was_interrupted(row: InvitationRow, kills: Iterable[float]) -> bool:
    """Whether a worker was killed while the call may have been under way."""
    began = row.attempt_started_at
    return began is not None and any(began - 1.0 <= at <= began + CALL_SECONDS for at in kills)


def _verify_lever(verification: Verification, candidate: CandidateEvidence) -> None:
    """Check the tag, the feedback, the report link and its file by where CodeScreen's latest attempt stands."""
    instance = candidate.invitations[0]["instances"][-1]
    forms = candidate.lever["feedback"]
    verification.counts["feedback"] += len(forms)
    violations = []
    if candidate.progress_tags != [TAGS[instance["phase"]]]:
        violations.append(Violation.TAGS_WRONG)
    if len(forms) > 1 or candidate.lever["feedback_deleted"]:
        violations.append(Violation.FEEDBACK_TWICE)
    if instance["phase"] != "complete":
        violations += [Violation.FEEDBACK_WRONG] if forms else []
    else:
        verification.counts["completed"] += 1
        if not forms:
            violations.append(Violation.FEEDBACK_MISSING)
        elif forms[0]["fields"].get("CodeScreen score") != str(instance["score"]):
            violations.append(Violation.FEEDBACK_WRONG)
        if len(candidate.lever["links"]) != 1:
            violations.append(Violation.LINKS_WRONG)
        if len(candidate.lever["files"]) != 1:
            violations.append(Violation.FILES_WRONG)
    for violation in violations:
        verification.record_violation(violation, candidate.opportunity)


def collect_evidence(
    environment: DemoEnvironment,
    slug: str,
    moved: Collection[str],
    interruptions: Iterable[Interruption] = (),
) -> Evidence:
    """Return one organization's evidence."""
    stages = environment.lever.account(slug)["stages"]
    deliveries = Delivery.objects.filter(organization__slug=slug, platform=Platform.LEVER)
    return Evidence(
        lever=environment.lever.ledger(slug),
        codescreen=environment.codescreen.ledger(slug),
        rows=_invitation_rows(slug),
        moved=moved,
        trigger_stages={stage["id"] for stage in stages if stage["text"] in (TRIGGER, SECOND_TRIGGER)},
        with_delivery=set(deliveries.values_list("opportunity_id", flat=True)),
        worker_kills=[item.at for item in interruptions if item.what in AMBIGUOUS],
    )


def _invitation_rows(slug: str) -> list[InvitationRow]:
    attempts = dict(
        Effect.objects.filter(
            organization__slug=slug, kind=Effect.Kind.SEND_INVITATION, attempt_started_at__isnull=False
        ).values_list("invitation_id", "attempt_started_at")
    )
    rows = []
    for invitation in Invitation.objects.filter(organization__slug=slug):
        attempt = attempts.get(invitation.pk)
        began = attempt.timestamp() if attempt else None
        rows.append(InvitationRow(invitation.opportunity_id, invitation.status, began))
    return rows


def count_verdicts() -> dict[str, int]:
    """Return how many deliveries got which verdict, the most frequent first."""
    rows = Delivery.objects.exclude(verdict="").values_list("verdict").annotate(Count("pk"))
    return dict(sorted(rows, key=lambda row: -row[1]))


def count_invited_by_sweep() -> int:
    """Return how many candidates only the sweep found."""
    return Delivery.objects.filter(event=DeliveryEvent.SWEEP, verdict__in=INVITING_VERDICTS).count()


def count_repeats() -> int:
    """Return how many webhooks the portal recognised as received before."""
    return int(Delivery.objects.aggregate(sum=Sum("repeats"))["sum"] or 0)


def finish_times() -> list[float]:
    """Return when each delivery was decided and each effect done, in order."""
    decided = Delivery.objects.filter(decided_at__isnull=False).values_list("decided_at", flat=True)
    done = Effect.objects.filter(done_at__isnull=False).values_list("done_at", flat=True)
    return sorted(moment.timestamp() for moment in [*decided, *done] if moment is not None)


def longest_recovery(interruptions: Iterable[Interruption], finished: list[float]) -> tuple[float, str]:
    """Return the longest time from an interruption to the next finished piece of work, and which one it was."""
    recoveries = [(0.0, "nothing")]
    for interruption in interruptions:
        index = bisect_right(finished, interruption.at)
        if index < len(finished):
            at = datetime.fromtimestamp(interruption.at, UTC)
            recoveries.append((finished[index] - interruption.at, f"{interruption.what} at {at:%H:%M:%S}"))
    return max(recoveries)


def count_calls(lever: JsonObject) -> Counter[int]:
    """Return how many API calls a Lever account answered, by status."""
    calls: Counter[int] = Counter()
    for entry in lever["calls"]:
        calls[entry["status"]] += entry["count"]
    return calls
