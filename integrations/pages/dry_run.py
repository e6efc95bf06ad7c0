"""The page that shows what would happen to a candidate, and the search for the candidate."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from django import forms
from django.db.models import QuerySet, Value
from django.db.models.functions import Upper
from django.views.generic import TemplateView

from integrations.catalog.lists import trigger_policy, trigger_stages
from integrations.catalog.models.platform_lists import Role, Stage
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.catalog.role_rules import RoleRules, rules_of_assessment
from integrations.core.rules.names import choose_result_tag
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.effects.perform import kind_of
from integrations.effects.wait_notes import TOLD_AFTER_MINUTES
from integrations.health.findings import counted
from integrations.http.session import NotConnected, PlatformError
from integrations.inbox.dry_run import DryRun
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import TEAM
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.queue import on_request

MAX_MATCHES = 20
#: The segments of a link that are followed by the opportunity id.
_BEFORE_ID = {"candidates", "opportunities", "opportunity", "candidate", "activity"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class CandidateMatch(NamedTuple):
    """A candidate who may be meant; `detail` is their role, or that they are archived."""

    opportunity_id: str
    name: str
    detail: str


#: One thing that would happen: a title and a sentence.
type Consequence = tuple[str, str]


def opportunity_id(written: str) -> str:
    """Return the opportunity id in an id or in a link to the candidate; empty for a link without one."""
    text = written.strip()
    if "/" not in text:
        return text[:200]
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:  # not a possible host
        return ""
    # A single-page application has its path behind the #.
    paths = [_segments(path) for path in (parts.path, parts.fragment)]
    for segments in paths:
        for segment, following in pairwise(segments):
            if segment.casefold() in _BEFORE_ID:
                return following[:200]
    last_segments = [segments[-1] for segments in paths if segments]
    return last_segments[0][:200] if last_segments else ""


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.partition("?")[0].split("/") if part]


def is_exact(organization: Organization, written: str) -> bool:
    """Whether the text is an id or a link, so that no search is needed."""
    text = written.strip()
    if "/" in text or _UUID.fullmatch(text):
        return True
    own = {"organization": organization, "opportunity_id": text}
    return Invitation.objects.filter(**own).exists() or Delivery.objects.filter(**own).exists()


def search(organization: Organization, written: str) -> list[CandidateMatch]:
    """Return the candidates with this name or e-mail address, each opportunity once. Raises PlatformError.

    Lever can be searched by address and role but not by name: a name finds only those who entered a stage.
    """
    text = written.strip()
    candidates = Candidate.objects.filter(organization=organization).order_by("-entered_at", "-pk")
    invitations = Invitation.objects.filter(organization=organization).order_by("-created_at", "-pk")
    if "@" in text:
        known = invitations.alias(address=Upper("email")).filter(address=Upper(Value(text)))
        matches = [*_invited(known[:MAX_MATCHES]), *in_lever(organization, email=text)]
    else:
        invited = invitations.filter(candidate_name__icontains=text)[: MAX_MATCHES * 5]
        entered = candidates.filter(name__icontains=text)[:MAX_MATCHES]
        matches = [
            *(CandidateMatch(one.opportunity_id, one.name, one.role_title) for one in entered),
            *_invited(invited),
        ]
    unique: dict[str, CandidateMatch] = {}
    for match in matches:
        unique.setdefault(match.opportunity_id, match)
    return list(unique.values())[:MAX_MATCHES]


def _invited(invitations: Iterable[Invitation]) -> Iterator[CandidateMatch]:
    for one in invitations:
        yield CandidateMatch(one.opportunity_id, one.candidate_name or "A candidate", one.role_title)


def in_lever(organization: Organization, **filters: str) -> list[CandidateMatch]:
    """Return the candidates that Lever finds by its own filters; nobody without a connection. Raises PlatformError."""
    try:
        opportunities = on_request.opportunities(organization, MAX_MATCHES, **filters)
    except NotConnected:
        return []
    roles = Role.objects.filter(organization=organization)
    titles = dict(
        roles.filter(external_id__in={one.posting_id for one in opportunities}).values_list(
            "external_id", "title"
        )
    )
    return [
        CandidateMatch(
            one.id,
            one.name or "A candidate",
            ", ".join(filter(None, [titles.get(one.posting_id), "archived" if one.is_archived else ""])),
        )
        for one in opportunities
    ]


RECENT = 50
MAX_STAGES = 500


def immediate_consequences(dry_run: DryRun) -> Iterator[Consequence]:
    """Yield the invitations and effects that the verdict would create."""
    for invitation in dry_run.invitations:
        later_round = f", round {invitation.round}" if invitation.round > 1 else ""
        yield f"The invitation is {invitation.words.phrase}", f"{invitation.assessment_name}{later_round}"
    for effect in dry_run.effects:
        kind = kind_of(effect)
        yield effect.get_kind_display(), kind.intended(kind.brief(effect))


def later_consequences(
    organization: Organization, dry_run: DryRun, *, is_trigger_stage: bool
) -> Iterator[Consequence]:
    """Yield what follows while it waits, and once it is approved or sent; nothing for a skip."""
    verdict, assessment = dry_run.decision.verdict, dry_run.decision.assessment
    waits = verdict in {VerdictCode.PAUSED, VerdictCode.HELD_FOR_APPROVAL}
    if waits and organization.note_on_wait and is_trigger_stage:
        detail = "A note in Lever says what the candidate waits for."
        yield f"If it waits longer than {TOLD_AFTER_MINUTES} minutes", detail
    if verdict == VerdictCode.HELD_FOR_APPROVAL:
        detail = "It waits under Candidates. Members who chose these e-mails get one for all that wait."
        yield "Until an Admin says yes or no", detail
    if verdict != VerdictCode.INVITE or assessment is None:
        return
    mapping = RoleMapping.objects.filter(pk=dry_run.decision.mapping_id or 0).first()
    rules = RoleRules(organization, mapping, lambda: rules_of_assessment(organization, assessment))
    in_lever = ", in a note in Lever" if organization.note_on_skip else ""
    days = (
        f" They must start within {counted(rules.start_within_days, 'day')}."
        if rules.start_within_days
        else ""
    )
    yield "Once it is sent", f"The tag “{ProgressTag.INVITED}” is set in Lever.{days}"
    yield "When the candidate starts", f"The tag becomes “{ProgressTag.IN_PROGRESS}”."
    if rules.not_started_days:
        detail = f"The tag becomes “{ProgressTag.NOT_STARTED_YET}”."
        yield f"If they haven't started after {counted(rules.not_started_days, 'day')}", detail
    detail = (
        f"The tag becomes “{ProgressTag.NOT_STARTED}”. The portal no longer asks CodeScreen about it, and says so "
        f"here, by e-mail{in_lever} and under Health."
    )
    yield f"If they haven't started after {counted(organization.no_show_days, 'day')}", detail
    detail = (
        f"The tag becomes “{ProgressTag.COMPLETED}”, feedback with the score, the rating that follows from it and the "
        "report link is written in Lever, and the members who want results get an e-mail."
    )
    yield "When CodeScreen says that it is complete", detail
    if organization.attach_report:
        yield "With the feedback", "The report is attached to the candidate in Lever as a PDF."
    yield from _after_the_result(rules, assessment.name)


def _after_the_result(rules: RoleRules, assessment_name: str) -> Iterator[Consequence]:
    """Yield what follows a pass and what follows a failure."""
    passed, failed = "Then, if CodeScreen says Passed", "Then, if CodeScreen says Failed"
    if rules.passing_score is not None:
        passed += f", or nothing and the score meets your bar ({rules.passing_score})"
        failed += f", or nothing and the score is below your bar ({rules.passing_score})"
    for when, written in ((passed, rules.passed_tag), (failed, rules.failed_tag)):
        if tag := choose_result_tag(written, assessment_name):
            yield when, f"Your own tag “{tag}” is added."
    if rules.stage_on_pass:
        moved = (
            f"They are moved to “{rules.stage_on_pass}” in Lever, unless a recruiter has moved them before."
        )
        yield passed, moved


class DryRunForm(forms.Form):
    """The candidate and the stage."""

    candidate = forms.CharField(
        label="Candidate",
        max_length=1000,
        help_text="Their link from Lever or e-mail address; or the name of somebody who entered a CodeScreen stage.",
        widget=forms.TextInput(
            attrs={"list": "known-candidates", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    stage = forms.ChoiceField(label="Stage they would enter", choices=())

    def __init__(self, *args: Any, stages: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = list(stages)  # type: ignore[attr-defined]

    def clean_candidate(self) -> str:
        """Return the text as it was written. Raises ValidationError for a link without a candidate's id."""
        written = str(self.cleaned_data["candidate"]).strip()
        identifier = opportunity_id(written)
        if "/" in written and (not identifier or re.search(r"[\s\x00-\x1f]", identifier)):
            raise forms.ValidationError(
                "There is no candidate in this link. Open the candidate in Lever and copy the address."
            )
        return written


class DryRunView(OrganizationMixin, TemplateView):
    """Ask for a candidate and a stage, and show what would follow; nothing is sent or written."""

    template_name = "integrations/dry_run.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form, and the answer where the address names a candidate and a stage."""
        stages = stage_choices(self.organization)
        is_submitted = "candidate" in self.request.GET
        triggers = {stage.name for stage in trigger_stages(self.organization)}
        initial = next((stage_id for stage_id, name in stages if name in triggers), "")
        # a candidate's page names no stage
        asked = {"stage": initial} | self.request.GET.dict()
        form = DryRunForm(asked if is_submitted else None, stages=stages, initial={"stage": initial})
        context = super().get_context_data(
            form=form, has_stages=bool(stages), candidates=recent_candidates(self.organization), **kwargs
        )
        if is_submitted and form.is_valid():
            context |= self._search_and_run(form, dict(stages))
        elif role := self.request.GET.get("role", "").strip()[:200]:
            context |= self._of_role(role, initial)
        return context

    def _of_role(self, role: str, stage_id: str) -> dict[str, Any]:
        """Return the candidates of a role to choose from."""
        try:
            matches = in_lever(self.organization, posting_id=role, archived="false")
        except PlatformError as error:
            return {"error": str(error)}
        return {"matches": matches, "stage": stage_id, "has_nobody": not matches}

    def _search_and_run(self, form: DryRunForm, stage_names: dict[str, str]) -> dict[str, Any]:
        """Return the answer for the candidate, or the candidates to choose from."""
        written, stage_id = form.cleaned_data["candidate"], form.cleaned_data["stage"]
        if is_exact(self.organization, written):
            return self._run(opportunity_id(written), stage_id, stage_names)
        try:
            matches = search(self.organization, written)
        except PlatformError as error:
            return {"error": str(error)}
        if len(matches) == 1:
            return self._run(matches[0].opportunity_id, stage_id, stage_names)
        if not matches:
            nobody = (
                "Nobody has this address"
                if "@" in written
                else "Nobody who entered a CodeScreen stage is called that, and Lever finds nobody by name"
            )
            form.add_error("candidate", f"{nobody}. Paste the candidate's link from Lever.")
        return {"matches": matches, "stage": stage_id}

    def _run(self, candidate_id: str, stage_id: str, stage_names: dict[str, str]) -> dict[str, Any]:
        try:
            dry_run = on_request.dry_run(self.organization, candidate_id, stage_id)
        except PlatformError as error:
            return {"error": str(error)}
        stage_name = stage_names.get(stage_id, stage_id)
        is_trigger_stage = trigger_policy(self.organization).is_trigger(stage_id, stage_name)
        answer = {
            "decision": dry_run.decision,
            "stage_name": stage_name,
            "candidate_id": candidate_id,
            "known": (known := self._known(candidate_id)),
            "called": dry_run.candidate_name or (known.called if known else ""),
            "role_title": dry_run.role_title or (known.role_title if known else ""),
            "immediate": list(immediate_consequences(dry_run)),
            "later": list(later_consequences(self.organization, dry_run, is_trigger_stage=is_trigger_stage)),
        }
        return {"answer": answer}

    def _known(self, candidate_id: str) -> Candidate | None:
        own = Candidate.objects.filter(organization=self.organization, opportunity_id=candidate_id)
        return own.first()


def stage_choices(organization: Organization) -> list[tuple[str, str]]:
    """Return id and name of the live stages, in the pipeline's order."""
    stages = Stage.objects.live().filter(organization=organization).order_by("position", "pk")
    return list(stages.values_list("external_id", "name")[:MAX_STAGES])


def recent_candidates(organization: Organization) -> QuerySet[Candidate]:
    """Return those who entered a CodeScreen stage last, invited or not, newest first."""
    return Candidate.objects.filter(organization=organization).order_by("-entered_at", "-pk")[:RECENT]
