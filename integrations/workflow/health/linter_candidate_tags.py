"""Findings on tags that candidates have and their roles don't, known from recent deliveries."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.models import Candidate, Delivery
from integrations.verdict_code import VerdictCode
from integrations.vocabulary import AssessmentSource
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.linter_snapshot import LinterSnapshot
from integrations.workflow.health.wording import counted
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.naming import normalize

LOOK_BACK = timedelta(days=30)
MOST_DELIVERIES = 500


def unknown_candidate_tags(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield tags on candidates that named no assessment at their last entry, and still name none."""
    # who entered again since then has the tag corrected, or is told of by the later entry
    is_last_entry = Exists(Candidate.objects.filter(delivery=OuterRef("pk")))
    undecidable = _decided_by_tag(snapshot, VerdictCode.UNKNOWN_ASSESSMENT).filter(is_last_entry)
    role_tags = {normalize(name) for role in snapshot.open_roles for name in snapshot.tags[role.pk]}
    opportunities_by_tag: dict[str, set[str]] = {}
    for opportunity_id, name in undecidable.values_list("opportunity_id", "assessment_written")[
        :MOST_DELIVERIES
    ]:
        is_known = matching_assessments(name, snapshot.assessments)
        if name and normalize(name) not in role_tags and not is_known:
            opportunities_by_tag.setdefault(name, set()).add(opportunity_id)
    for name, opportunities in opportunities_by_tag.items():
        where = f"The tag “CodeScreen {name}” on {counted(len(opportunities), 'candidate')}"
        hint = snapshot.assessment_names.hint(name)
        message = f"{where} names an assessment that isn't in CodeScreen.{hint}"
        fix = "Correct the tag on the candidate in Lever, then move them into the stage again."
        yield snapshot.finding(FindingCode.UNKNOWN_CANDIDATE_TAG, message, fix, Level.INFO)


def candidate_tags_not_on_role(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield unmapped roles whose candidates were invited by a tag that the role itself doesn't have."""
    roles = {role.external_id: role for role in snapshot.open_roles if not snapshot.rules_for(role)}
    opportunities_by_tag: dict[tuple[str, str], set[str]] = {}
    columns = (
        "invitation__role_id",
        "invitation__assessment_id",
        "invitation__assessment_name",
        "opportunity_id",
    )
    invited = _decided_by_tag(snapshot, VerdictCode.INVITE).values_list(*columns)
    for role_id, assessment_id, name, opportunity_id in invited[:MOST_DELIVERIES]:
        role = roles.get(role_id)
        if role is None:
            continue
        tagged_ids = {
            assessment.id
            for tag in snapshot.tags[role.pk]
            for assessment in matching_assessments(tag, snapshot.assessments)
        }
        if assessment_id not in tagged_ids:
            opportunities_by_tag.setdefault((role_id, name), set()).add(opportunity_id)
    instead = (
        "the default assessment" if snapshot.organization.default_assessment.strip() else "no assessment"
    )
    for (role_id, name), opportunities in opportunities_by_tag.items():
        candidates = counted(len(opportunities), "candidate")
        message = (
            f"The tag “CodeScreen {name}” is on {candidates} of “{roles[role_id].title}” but not on the role. "
            f"Candidates without the tag get {instead}."
        )
        fix = "If all candidates of the role should get it, tag the role in Lever or add a mapping."
        yield snapshot.finding(FindingCode.CANDIDATE_TAG_ALONE, message, fix, Level.INFO)


def _decided_by_tag(snapshot: LinterSnapshot, verdict: VerdictCode) -> QuerySet[Delivery]:
    """Return the recent deliveries with this verdict whose assessment a tag named, the latest first."""
    return Delivery.objects.filter(
        organization=snapshot.organization,
        verdict=verdict,
        received_at__gte=timezone.now() - LOOK_BACK,
        assessment_source=AssessmentSource.TAG,
    ).order_by("-received_at")
