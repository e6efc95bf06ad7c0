"""What the rules of now decide about candidates who were not invited, by what Lever last showed of each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from django.db.models import Exists, OuterRef
from django.utils.text import capfirst

from integrations.case.facts import rules_of
from integrations.case.person import existing_invitation, invitations_of_people
from integrations.catalog.lists import live_assessments
from integrations.catalog.models import Role, Stage
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import Decision, Facts
from integrations.core.verdict_code import (
    INVITING_VERDICTS,
    REMOVABLE_VERDICTS,
    VerdictCode,
    VerdictRecord,
)
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.record_candidate import kept_snapshot
from integrations.invitations.models.candidate import Candidate, CandidateQuerySet
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Who entered a stage longer ago is left as decided then; of the others so many are judged, the latest first.
LATELY = timedelta(days=30)
MOST = 1_000
#: What is said, after “Not invited”, of a candidate whose reason has ended.
CAN_BE_INVITED = "can be invited now"


@dataclass(frozen=True)
class Changed:
    """A candidate with another verdict by the rules of now than the stored one."""

    candidate: Candidate
    stored: VerdictCode
    decision: Decision

    @property
    def record(self) -> VerdictRecord:
        return self.decision.verdict.record

    @property
    def is_freed(self) -> bool:
        """Whether the candidate would be invited now, or held for an approval."""
        return self.decision.verdict in INVITING_VERDICTS

    @property
    def phrase(self) -> str:
        """The verdict of now, after “Not invited”."""
        return CAN_BE_INVITED if self.is_freed else self.record.phrase

    @property
    def next_step(self) -> str:
        """What a person can do now."""
        return "An Admin presses “Invite”." if self.is_freed else self.record.next_step

    @property
    def cause(self) -> str:
        """Why the candidate was not invited, in the past tense, within a sentence."""
        role = f"“{self.candidate.role_title}”" if self.candidate.role_title else "the role"
        removal = self.stored.record.removal
        return removal.was.format(role=role) if removal else ""

    @property
    def sentence(self) -> str:
        """What was when they entered the stage, and what is now."""
        removal = self.stored.record.removal
        then = f"{capfirst(self.cause)} when they entered the stage"
        if self.is_freed and removal:
            return f"{then}; {removal.now}. {self.decision.explanation}"
        return f"{then}. Now: {self.decision.explanation}"


class Today:
    """Who of an organization's candidates without an invitation is decided differently now; read when first asked for.

    Nobody is while nothing is decided: during a pause, and without a connection. Asks no platform anything.
    """

    def __init__(self, organization: Organization, opportunity_id: str = "") -> None:
        self.organization, self.opportunity_id = organization, opportunity_id

    def of(self, candidate: Candidate | None) -> Changed | None:
        """Return what changed for the candidate; None where the stored verdict still holds."""
        return self.changed.get(candidate.pk) if candidate else None

    @cached_property
    def freed(self) -> Mapping[int, Changed]:
        """Those who would be invited now, by the candidate's key."""
        return {key: one for key, one in self.changed.items() if one.is_freed}

    @cached_property
    def changed(self) -> Mapping[int, Changed]:
        """Those with another verdict now, by the candidate's key: at most six queries, one where nobody waits."""
        candidates = list(self._not_invited())
        if not candidates or self.organization.pause or self.organization.disconnected_reason:
            return {}
        return {one.candidate.pk: one for one in self._judge(candidates)}

    def _not_invited(self) -> CandidateQuerySet:
        """Return those whose reason can end, and who have not moved to a stage that sends nothing since."""
        own = Candidate.objects.filter(organization=self.organization)
        if self.opportunity_id:
            own = own.filter(opportunity_id=self.opportunity_id)
        lately = own.not_invited().filter(
            entered_at__gte=database.now() - LATELY,
            erased_at__isnull=True,
            delivery__verdict__in=REMOVABLE_VERDICTS,
            delivery__due_at__isnull=True,
        )
        left = Delivery.objects.filter(
            organization=self.organization,
            opportunity_id=OuterRef("opportunity_id"),
            verdict=VerdictCode.NOT_A_TRIGGER_STAGE,
            received_at__gt=OuterRef("delivery__received_at"),
        )
        judged = lately.exclude(stage_id="").exclude(Exists(left)).with_standing()
        return judged.order_by("-entered_at", "-pk")[:MOST]

    def _judge(self, candidates: list[Candidate]) -> Iterator[Changed]:
        elsewhere = _Elsewhere(self.organization, candidates)
        for candidate, facts in self._facts(candidates):
            decision = decide(facts)
            if decision.verdict in INVITING_VERDICTS:  # only then it matters what else the person has
                decision = decide(elsewhere.complete(candidate, facts))
            stored = VerdictCode(candidate.delivery.verdict) if candidate.delivery else decision.verdict
            if decision.verdict != stored:
                yield Changed(candidate, stored, decision)

    def _facts(self, candidates: list[Candidate]) -> Iterator[tuple[Candidate, Facts]]:
        """Yield each candidate with the facts, but for invitations: four queries in all."""
        organization = self.organization
        rules = replace(
            rules_of(organization),
            assessments=live_assessments(organization),
            reentry_days=organization.reentry_days,
        )
        own = {"organization": organization}
        stages = dict(Stage.objects.live().filter(**own).values_list("external_id", "name"))
        roles = Role.objects.filter(**own, external_id__in={one.role_id for one in candidates})
        known = {role.external_id: role for role in roles}
        for candidate in candidates:
            role, stage = known.get(candidate.role_id), stages.get(candidate.stage_id, "")
            title = role.title if role else candidate.role_title
            categories = role.shown_categories if role else frozenset()
            facts = replace(
                rules,
                stage_id=candidate.stage_id,
                stage_name=stage,
                candidate=kept_snapshot(candidate, stage, title, categories),
                chosen_assessment=candidate.delivery.chosen_assessment if candidate.delivery else "",
            )
            yield candidate, facts


class _Elsewhere:
    """The invitations that candidates' persons have through other opportunities; one query, when first asked for."""

    def __init__(self, organization: Organization, candidates: Iterable[Candidate]) -> None:
        self.organization, self.candidates = organization, candidates

    @cached_property
    def _found(self) -> Mapping[str, list[Invitation]]:
        """The invitations by the contact's id, and by the address in capitals."""
        contacts = (str(one.shown.get("contact_id", "")) for one in self.candidates)
        rows = invitations_of_people(self.organization, contacts, (one.email for one in self.candidates))
        found: dict[str, list[Invitation]] = {}
        for row in rows:
            for key in {row.contact_id, row.email.upper()} - {""}:
                found.setdefault(key, []).append(row)
        return found

    def complete(self, candidate: Candidate, facts: Facts) -> Facts:
        """Return the facts with the invitations of the candidate's person, the latest first."""
        keys = (str(candidate.shown.get("contact_id", "")), candidate.email.upper())
        rows = {row.pk: row for key in keys for row in self._found.get(key, ())}
        latest_first = sorted(rows.values(), key=lambda row: (row.created_at, row.pk), reverse=True)
        theirs = [existing_invitation(row, candidate.entered_at) for row in latest_first]
        here = tuple(row for row in theirs if row.opportunity_id == candidate.opportunity_id)
        elsewhere = tuple(row for row in theirs if row.opportunity_id != candidate.opportunity_id)
        return replace(facts, invitations_here=here, invitations_elsewhere=elsewhere)
