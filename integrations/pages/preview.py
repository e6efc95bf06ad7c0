"""The page that shows what would happen to a candidate, and the search for the candidate."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django import forms
from django.db.models import Q
from django.views.generic import TemplateView

from integrations.catalog.lists import trigger_stages
from integrations.catalog.models import Role
from integrations.http.session import NotConnected, PlatformError
from integrations.inbox.dry_run import DryRun
from integrations.invitations.models.candidate import Candidate
from integrations.lever.payloads import StageChange
from integrations.members.models.membership import TEAM
from integrations.organizations.models.organization import Organization
from integrations.outbox.perform import kind_of
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.queue import acts as queue_acts

MAX_MATCHES = 20
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
    found = _UUID.search(text)
    return found[0] if found else ""


def search(organization: Organization, written: str) -> list[CandidateMatch]:
    """Return the candidates with this id, name or e-mail address, each opportunity once. Raises PlatformError.

    Lever can be searched by address but not by name: a name finds only those who entered a stage.
    """
    text = written.strip()
    is_meant = Q(email__iexact=text) if "@" in text else Q(name__icontains=text) | Q(opportunity_id=text)
    candidates = Candidate.objects.filter(is_meant, organization=organization).order_by("-entered_at", "-pk")
    matches = [
        CandidateMatch(one.opportunity_id, one.called, one.role_title) for one in candidates[:MAX_MATCHES]
    ]
    if "@" in text:
        matches += _in_lever(organization, text)
    unique: dict[str, CandidateMatch] = {}
    for match in matches:
        unique.setdefault(match.opportunity_id, match)
    return list(unique.values())[:MAX_MATCHES]


def _in_lever(organization: Organization, email: str) -> list[CandidateMatch]:
    """Return the candidates that Lever has with this address; nobody without a connection. Raises PlatformError."""
    try:
        opportunities = queue_acts.opportunities(organization, MAX_MATCHES, email=email)
    except NotConnected:
        return []
    roles = Role.objects.filter(
        organization=organization, external_id__in={one.posting_id for one in opportunities}
    )
    titles = dict(roles.values_list("external_id", "title"))
    return [
        CandidateMatch(
            one.id,
            one.name or "A candidate",
            ", ".join(filter(None, [titles.get(one.posting_id), "archived" if one.is_archived else ""])),
        )
        for one in opportunities
    ]


def consequences(dry_run: DryRun) -> Iterator[Consequence]:
    """Yield the invitations and effects that the verdict would create."""
    for invitation in dry_run.invitations:
        later_round = f", round {invitation.round}" if invitation.round > 1 else ""
        yield f"The invitation is {invitation.words.phrase}", f"{invitation.assessment_name}{later_round}"
    for effect in dry_run.effects:
        kind = kind_of(effect)
        yield effect.get_kind_display(), kind.intended(kind.brief(effect))


class PreviewForm(forms.Form):
    """The candidate and the stage; without a stage, the one that they entered last."""

    candidate = forms.CharField(
        label="Candidate",
        max_length=1000,
        help_text="Their link from Lever or e-mail address; or the name of somebody who entered a CodeScreen stage.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    stage = forms.ChoiceField(label="Stage they would enter", choices=(), required=False)

    def __init__(self, *args: Any, stages: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = list(stages)  # type: ignore[attr-defined]

    def clean_candidate(self) -> str:
        """Return the text as it was written. Raises ValidationError for a link without a candidate's id."""
        written = str(self.cleaned_data["candidate"]).strip()
        if not opportunity_id(written):
            raise forms.ValidationError(
                "There is no candidate in this link. Open the candidate in Lever and copy the address."
            )
        return written


class PreviewView(OrganizationMixin, TemplateView):
    """Ask for a candidate and a stage, and show what would follow; nothing is sent or written."""

    template_name = "integrations/preview.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form, and the answer where the address names a candidate."""
        self.stages = dict(pick_list.stages(self.organization).known)
        triggers = {stage.name for stage in trigger_stages(self.organization)}
        self.usual = next((stage_id for stage_id, name in self.stages.items() if name in triggers), "")
        asked = self.request.GET if "candidate" in self.request.GET else None
        form = PreviewForm(asked, stages=self.stages.items(), initial={"stage": self.usual})
        context = super().get_context_data(form=form, has_stages=bool(self.stages), **kwargs)
        if form.is_valid():
            try:
                context |= self._search_and_run(form)
            except PlatformError as error:
                context["error"] = str(error)
        return context

    def _search_and_run(self, form: PreviewForm) -> dict[str, Any]:
        """Return the answer for the candidate, or the candidates to choose from. Raises PlatformError."""
        written, stage_id = form.cleaned_data["candidate"], form.cleaned_data["stage"]
        if "/" in written or _UUID.fullmatch(written):
            return {"answer": self._answer(opportunity_id(written), stage_id)}
        matches = search(self.organization, written)
        if len(matches) == 1:
            return {"answer": self._answer(matches[0].opportunity_id, stage_id)}
        if not matches:
            nobody = (
                "Nobody has this address"
                if "@" in written
                else "Nobody who entered a CodeScreen stage is called that, and Lever finds nobody by name"
            )
            form.add_error("candidate", f"{nobody}. Paste the candidate's link from Lever.")
        return {"matches": matches, "stage": stage_id}

    def _answer(self, candidate_id: str, stage_id: str) -> dict[str, Any]:
        own = Candidate.objects.filter(organization=self.organization, opportunity_id=candidate_id)
        known = own.select_related("delivery").first()
        if not stage_id:
            entered = StageChange.from_payload(known.delivery.payload) if known and known.delivery else None
            stage_id = entered.to_stage_id if entered and entered.to_stage_id in self.stages else self.usual
        dry_run = queue_acts.dry_run(self.organization, candidate_id, stage_id)
        return {
            "decision": dry_run.decision,
            "stage": stage_id,
            "stage_name": self.stages.get(stage_id, stage_id),
            "candidate_id": candidate_id,
            "known": known,
            "called": dry_run.candidate_name or (known.called if known else ""),
            "role_title": dry_run.role_title or (known.role_title if known else ""),
            "consequences": list(consequences(dry_run)),
        }
