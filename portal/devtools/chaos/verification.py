"""Verifies what became of each candidate by both platforms' ledgers, with the portal's rows only beside them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos import tenants
from portal.devtools.chaos.run import Verification, Violation
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject, stable_id

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
CALL_SECONDS = 8.0  # within which a call that was begun has ended, one way or the other
#: What a webhook may be answered.
ANSWERS = frozenset({200, 202, 503})


@dataclass(frozen=True)
class InvitationRow:
    """What the portal itself has on one invitation."""

    opportunity: str
    status: str
    attempt_started_at: float | None = None


@dataclass(frozen=True)
class Evidence:
    """Both platforms' ledgers, and what is needed to read them."""

    lever: JsonObject
    codescreen: JsonObject
    rows: Collection[InvitationRow]
    moved: Collection[str]
    trigger_stages: Collection[str]
    with_delivery: Collection[str] = ()  # the opportunities that the portal has a delivery of
    worker_kills: Collection[float] = ()
    offered: Collection[str] = ()  # to whom the portal asks people whether to send
    is_restored: bool = False  # what was under way at the backup is uncertain then

    def candidates(self) -> "Iterator[Candidate]":
        """Yield what is known of each candidate who was moved."""
        for opportunity in self.moved:
            lever = self.lever["opportunities"][opportunity]
            email = str(lever["emails"][0]).casefold()
            invitations = [one for one in self.codescreen["invitations"] if one["email"].casefold() == email]
            rows = [row for row in self.rows if row.opportunity == opportunity]
            yield Candidate(opportunity, email, lever, invitations, rows)


@dataclass(frozen=True)
class Candidate:
    """What Lever, CodeScreen and the portal have on one candidate."""

    opportunity: str
    email: str
    lever: JsonObject
    invitations: list[JsonObject]
    rows: list[InvitationRow] = field(default_factory=list)

    @property
    def emails_sent(self) -> int:
        """How many invitations CodeScreen sent."""
        return sum(invitation["emails_sent"] for invitation in self.invitations)

    def has(self, *statuses: str) -> bool:
        """Whether an invitation of the portal has one of these statuses."""
        return any(row.status in statuses for row in self.rows)

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Yield the promises that weren't kept."""
        is_sent, forms = self.has(*SENT), self.lever["feedback"]
        accepted = [one["subject"] for one in evidence.lever["deliveries"] if one["state"] == "delivered"]
        if self.opportunity in accepted and self.opportunity not in evidence.with_delivery:
            yield Violation.ACCEPTED_WITHOUT_ROW
        if any(invitation["emails_sent"] > 1 for invitation in self.invitations):
            yield Violation.INVITED_TWICE
        if len(forms) > 1 or self.lever["feedback_deleted"]:
            yield Violation.FEEDBACK_TWICE
        is_asked = self.has(InvitationStatus.UNCERTAIN) or self.opportunity in evidence.offered
        if self.lever["stage"] in evidence.trigger_stages and not is_asked:
            if not self.emails_sent:
                yield Violation.LOST
            elif not is_sent:
                yield Violation.UNSETTLED
        tags = [tag for tag in self.lever["tags"] if tag.startswith("CodeScreen:")]
        if is_sent and self.invitations:
            # CodeScreen's latest attempt says what Lever has to show
            instance = self.invitations[0]["instances"][-1]
            if tags != [TAGS[instance["phase"]]]:
                yield Violation.TAGS_WRONG
            yield from self._violations_of_result(instance)
        elif len(tags) > 1 and self.has(InvitationStatus.WITHDRAWN):
            yield Violation.TAGS_WRONG

    def _violations_of_result(self, instance: JsonObject) -> Iterator[Violation]:
        forms = self.lever["feedback"]
        if instance["phase"] != "complete":
            if forms:
                yield Violation.FEEDBACK_WRONG
            return
        if not forms:
            yield Violation.FEEDBACK_MISSING
        elif forms[0]["fields"].get("CodeScreen score") != str(instance["score"]):
            yield Violation.FEEDBACK_WRONG
        if len(self.lever["links"]) != 1:
            yield Violation.LINKS_WRONG
        if len(self.lever["files"]) != 1:
            yield Violation.FILES_WRONG

    def why_uncertain(self, row: InvitationRow, evidence: Evidence) -> str:
        """Return what left the portal without knowing if the candidate was invited; empty if nothing did."""
        refused = [one.split(" ")[0] for one in evidence.codescreen["ambiguous_elsewhere"]]
        if self.email in refused or any(one["ambiguous"] for one in self.invitations):
            return "explained_by_fault"
        began = row.attempt_started_at
        if began and any(began - 1.0 <= at <= began + CALL_SECONDS for at in evidence.worker_kills):
            return "explained_by_kill"
        return "explained_by_restore" if evidence.is_restored else ""


def verify(evidence: Evidence) -> Verification:
    """Return what became of everybody who was moved."""
    verification = Verification()
    counts = verification.counts
    for candidate in evidence.candidates():
        for violation in candidate.violations(evidence):
            verification.record_violation(violation, candidate.opportunity)
        counts["emails"] += candidate.emails_sent
        counts["candidates"] += bool(candidate.emails_sent)
        counts["feedback"] += len(candidate.lever["feedback"])
        for row in candidate.rows:
            counts["completed"] += row.status == InvitationStatus.COMPLETED
            if row.status == InvitationStatus.UNCERTAIN:
                counts["uncertain"] += 1
                if reason := candidate.why_uncertain(row, evidence):
                    counts[reason] += 1
                else:
                    verification.record_violation(Violation.UNEXPLAINED, candidate.opportunity)
    attempts = [one for delivery in evidence.lever["deliveries"] for one in delivery.get("attempts", [])]
    wrong = [answer_to(one) for one in attempts if one["status"] and one["status"] not in ANSWERS]
    verification.record_violation(Violation.WRONG_ANSWERS, *wrong)
    return verification


def answer_to(attempt: JsonObject) -> str:
    """Return how a webhook was answered: a status, or the error in place of one."""
    return str(attempt["status"] or attempt["error"])


def collect_evidence(
    environment: DemoEnvironment,
    moved: Collection[str],
    worker_kills: Collection[float] = (),
    offered: Collection[str] = (),
    *,
    is_restored: bool = False,
) -> Evidence:
    """Return the evidence about those who were moved."""
    triggers = (tenants.TRIGGER, tenants.SECOND_TRIGGER)
    deliveries = Delivery.objects.filter(platform=Platform.LEVER)
    sendings = Effect.objects.filter(kind=Effect.Kind.SEND_INVITATION, attempt_started_at__isnull=False)
    began = {
        pk: at.timestamp() for pk, at in sendings.values_list("invitation_id", "attempt_started_at") if at
    }
    return Evidence(
        lever=environment.lever.ledger(tenants.SLUG),
        codescreen=environment.codescreen.ledger(tenants.SLUG),
        rows=[
            InvitationRow(row.opportunity_id, row.status, began.get(row.pk))
            for row in Invitation.objects.all()
        ],
        moved=moved,
        trigger_stages={stable_id(tenants.SLUG, "stage", stage) for stage in triggers},
        with_delivery=set(deliveries.values_list("opportunity_id", flat=True)),
        worker_kills=worker_kills,
        offered=offered,
        is_restored=is_restored,
    )
