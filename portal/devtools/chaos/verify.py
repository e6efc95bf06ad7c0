"""What became of each candidate, by the books of both platforms; the portal's rows are only heard beside them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from portal.devtools.sandbox.faults import DEFINITE_STATUSES
from portal.devtools.sandbox.json_values import JsonObject

TAGS = {
    "not_started": "CodeScreen: Candidate Invited",
    "in_progress": "CodeScreen: Assessment in Progress",
    "submitted": "CodeScreen: Assessment in Progress",
    "complete": "CodeScreen: Assessment Completed",
}
KNOWN = frozenset({"invited", "in_progress", "submitted", "completed"})
CALL_SECONDS = 8.0  # within which of its intent a call has ended, one way or the other
PROMISES = (
    "twice",
    "lost",
    "unsettled",
    "unexplained",
    "unresolved",
    "unheard",
    "feedback_twice",
    "feedback_missing",
    "feedback_wrong",
    "tags_wrong",
    "links_wrong",
)


@dataclass(frozen=True)
class Row:
    """The portal's own word on one invitation."""

    opportunity: str
    status: str
    attempt_started_at: float | None = None


@dataclass(frozen=True)
class Evidence:
    """One organization's: both platforms' books, and what is needed to read them."""

    lever: JsonObject
    codescreen: JsonObject
    rows: Collection[Row]
    moved: Collection[str]
    trigger_stages: Collection[str]
    heard: Collection[str] = ()
    interruptions: Collection[float] = ()
    has_webhooks: bool = False


@dataclass
class Judgement:
    """Counts by what was seen, and which opportunities broke which promise."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=dict)

    def blame(self, promise: str, opportunity: str) -> None:
        """Note that a promise wasn't kept for somebody."""
        self.broken.setdefault(promise, []).append(opportunity)

    def add(self, other: "Judgement") -> None:
        """Take in another organization's judgement."""
        self.counts.update(other.counts)
        for promise, opportunities in other.broken.items():
            self.broken.setdefault(promise, []).extend(opportunities)


def judge(evidence: Evidence) -> Judgement:
    """Return what became of everybody who was moved."""
    judgement = Judgement()
    invited = _by_email(evidence.codescreen["invitations"])
    rows: dict[str, list[Row]] = {}
    for row in evidence.rows:
        rows.setdefault(row.opportunity, []).append(row)
    told = {
        delivery["subject"] for delivery in evidence.lever["deliveries"] if delivery["state"] == "delivered"
    }
    for opportunity in evidence.moved:
        seen = evidence.lever["opportunities"][opportunity]
        sent = invited.get(seen["emails"][0].casefold(), [])
        mine = rows.get(opportunity, [])
        if opportunity in told and opportunity not in evidence.heard:
            judgement.blame("unheard", opportunity)
        _judge_invitation(judgement, evidence, opportunity, sent, mine)
        if any(row.status in KNOWN for row in mine) and sent:
            _judge_lever(judgement, opportunity, seen, sent[0]["instances"][-1])
        elif any(row.status == "withdrawn" for row in mine) and len(_progress(seen)) > 1:
            judgement.blame("tags_wrong", opportunity)
    return judgement


def _by_email(invitations: Iterable[JsonObject]) -> dict[str, list[JsonObject]]:
    found: dict[str, list[JsonObject]] = {}
    for entry in invitations:
        found.setdefault(entry["email"].casefold(), []).append(entry)
    return found


def _judge_invitation(
    judgement: Judgement, evidence: Evidence, opportunity: str, sent: list[JsonObject], rows: list[Row]
) -> None:
    counts = judgement.counts
    emails = sum(entry["emails_sent"] for entry in sent)
    counts["emails"] += emails
    counts["candidates"] += bool(emails)
    if any(entry["emails_sent"] > 1 for entry in sent):
        judgement.blame("twice", opportunity)
    uncertain = [row for row in rows if row.status == "uncertain"]
    counts["uncertain"] += len(uncertain)
    counts["uncertain_sent"] += len(uncertain) if emails else 0
    if uncertain and emails and evidence.has_webhooks:
        judgement.blame("unresolved", opportunity)  # CodeScreen told that it was sent
    for row in uncertain:
        if _was_ambiguous(
            evidence.codescreen, evidence.lever["opportunities"][opportunity]["emails"][0], sent
        ):
            counts["explained_by_fault"] += 1
        elif _was_interrupted(row, evidence.interruptions):
            counts["explained_by_kill"] += 1
        else:
            judgement.blame("unexplained", opportunity)
    is_wanted = evidence.lever["opportunities"][opportunity]["stage"] in evidence.trigger_stages
    if is_wanted and not emails and not uncertain:
        judgement.blame("lost", opportunity)
    elif is_wanted and not uncertain and not any(row.status in KNOWN for row in rows):
        judgement.blame("unsettled", opportunity)


def _was_ambiguous(codescreen: JsonObject, email: str, sent: list[JsonObject]) -> bool:
    """Whether CodeScreen's books have a fault on this person's invitation that left the caller guessing."""
    if any(entry["ambiguous"] for entry in sent):
        return True
    return any(
        is_ambiguous(name)
        for subject, faults in codescreen["other_faults"].items()
        if subject.split(" ")[0] == email.casefold()
        for name in faults
    )


def is_ambiguous(name: str) -> bool:
    """Whether a fault, by the name under which the books keep it, leaves a caller guessing."""
    kind = name.partition(":")[0]
    status = re.fullmatch(r"status_(\d+)", kind)
    return int(status.group(1)) not in DEFINITE_STATUSES if status else kind != "delay"


def _was_interrupted(row: Row, interruptions: Iterable[float]) -> bool:
    """Whether something of the portal's was killed or cut while the call may have been under way."""
    if row.attempt_started_at is None:
        return False
    return any(
        row.attempt_started_at - 1.0 <= at <= row.attempt_started_at + CALL_SECONDS for at in interruptions
    )


def _judge_lever(judgement: Judgement, opportunity: str, seen: JsonObject, instance: JsonObject) -> None:
    if _progress(seen) != [TAGS[instance["phase"]]]:
        judgement.blame("tags_wrong", opportunity)
    forms = seen["feedback"]
    judgement.counts["feedback"] += len(forms)
    if len(forms) > 1 or seen["feedback_deleted"]:
        judgement.blame("feedback_twice", opportunity)
    if instance["phase"] != "complete":
        if forms:
            judgement.blame("feedback_wrong", opportunity)
        return
    judgement.counts["completed"] += 1
    if not forms:
        judgement.blame("feedback_missing", opportunity)
    elif forms[0]["fields"].get("CodeScreen score") != str(instance["score"]):
        judgement.blame("feedback_wrong", opportunity)
    if len(seen["links"]) != 1:
        judgement.blame("links_wrong", opportunity)


def _progress(seen: JsonObject) -> list[str]:
    return [tag for tag in seen["tags"] if tag.startswith("CodeScreen:")]
