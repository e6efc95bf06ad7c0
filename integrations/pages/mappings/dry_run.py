"""What would happen if a candidate entered a stage: verdict, reason and effects, by the code of the real run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.views.generic import TemplateView

from integrations.http.errors import PlatformError
from integrations.models import Delivery, Effect, Invitation, Organization, Stage
from integrations.pages.access import TEAM, OrganizationMixin
from integrations.pages.activity.candidate_search import is_exact, opportunity_id, search
from integrations.queue import worker
from integrations.vocabulary import ProgressTag, Verdict
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.inbox.delivery_handling import DryRun

RECENT = 50
MOST_STAGES = 500


class WhatIfForm(forms.Form):
    """Which candidate, and which stage."""

    candidate = forms.CharField(
        label="Candidate",
        max_length=1000,
        help_text="Their link from Lever, their e-mail address, or the name of somebody the portal knows.",
        widget=forms.TextInput(
            attrs={"list": "known-candidates", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    stage = forms.ChoiceField(label="Stage they would enter", choices=())

    def __init__(self, *args: Any, stages: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = list(stages)  # type: ignore[attr-defined]

    def clean_candidate(self) -> str:
        """Return what was written. Raises ValidationError for a link without a candidate in it."""
        written = str(self.cleaned_data["candidate"]).strip()
        found = opportunity_id(written)
        if "/" in written and (not found or re.search(r"[\s\x00-\x1f]", found)):
            raise forms.ValidationError(
                "There is no candidate in this link. Open the candidate in Lever and copy the address."
            )
        return written


@dataclass(frozen=True)
class Consequence:
    """One thing that would happen."""

    what: str
    detail: str


class WhatIfView(OrganizationMixin, TemplateView):
    """Ask for a candidate and a stage, and say what would follow; nothing is sent or written."""

    template_name = "integrations/what_if.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Rehearse when both are given."""
        stages = stage_choices(self.organization)
        is_asked = "candidate" in self.request.GET
        names = [stage.name for stage in trigger_stages(self.organization)]
        first = next((stage for stage, name in stages if name in names), "")
        form = WhatIfForm(self.request.GET if is_asked else None, stages=stages, initial={"stage": first})
        context = super().get_context_data(
            form=form, has_stages=bool(stages), candidates=recent(self.organization), **kwargs
        )
        if is_asked and form.is_valid():
            context |= self.look_up(form, dict(stages))
        return context

    def look_up(self, form: WhatIfForm, names: dict[str, str]) -> dict[str, Any]:
        """Return the answer for the candidate who is meant, or who might be."""
        written, stage = form.cleaned_data["candidate"], form.cleaned_data["stage"]
        if is_exact(self.organization, written):
            return self.answer(opportunity_id(written), stage, names)
        try:
            found = search(self.organization, written)
        except PlatformError as error:
            return {"trouble": str(error)}
        if len(found) == 1:
            return self.answer(found[0].opportunity_id, stage, names)
        if not found:
            kind = "has this address" if "@" in written else "is called that, or has this id"
            form.add_error(
                "candidate", f"Nobody the portal knows {kind}. Paste the candidate's link from Lever."
            )
        return {"choices": found, "stage": stage}

    def answer(self, candidate: str, stage: str, names: dict[str, str]) -> dict[str, Any]:
        """Return what would happen, or why that can't be said."""
        try:
            found = worker.dry_run(self.organization, candidate, stage)
        except PlatformError as error:
            return {"trouble": str(error)}
        return {
            "found": found,
            "verdict": verdict_label(found.decision.verdict),
            "stage_name": names.get(stage, stage),
            "candidate_id": candidate,
            "candidate_name": known_name(self.organization, candidate),
            "at_once": at_once(found),
            "afterwards": afterwards(self.organization, found),
        }


def stage_choices(organization: Organization) -> list[tuple[str, str]]:
    """Return the live stages in the pipeline's order."""
    rows = Stage.objects.live().filter(organization=organization).order_by("position", "pk")
    return list(rows.values_list("external_id", "name")[:MOST_STAGES])


def recent(organization: Organization) -> list[Invitation]:
    """Return the newest candidates that the portal knows, each once."""
    rows = Invitation.objects.filter(organization=organization).order_by("-created_at", "-pk")[:RECENT]
    return list({row.opportunity_id: row for row in reversed(rows)}.values())[::-1]


def known_name(organization: Organization, candidate: str) -> str:
    """Return the candidate's name where an invitation tells it."""
    rows = Invitation.objects.filter(organization=organization, opportunity_id=candidate)
    return rows.exclude(candidate_name="").values_list("candidate_name", flat=True).first() or ""


def verdict_label(code: str) -> str:
    """Return a verdict as the lists show it."""
    return str(dict(Delivery.Verdict.choices()).get(code, code))


def at_once(found: DryRun) -> list[Consequence]:
    """Return what would be written and asked for with the verdict."""
    rows = [
        Consequence(
            f"The invitation becomes {row.get_status_display().lower()}",
            f"{row.assessment_name}{f', round {row.round}' if row.round > 1 else ''}",
        )
        for row in found.invitations
    ]
    return rows + [Consequence(effect.get_kind_display(), _detail(effect)) for effect in found.effects]


def _detail(effect: Effect) -> str:
    payload = effect.payload
    if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation is not None:
        return f"CodeScreen sends “{effect.invitation.assessment_name}” to the candidate."
    return str(payload.get("text") or payload.get("tag") or "")


def _on_outcome(organization: Organization) -> list[Consequence]:
    found = []
    if organization.passed_stage:
        detail = f"They are moved to “{organization.passed_stage}” in Lever, unless a recruiter has moved them before."
        found.append(Consequence("Then, if CodeScreen says Passed", detail))
    if organization.hold_failed:
        detail = "They wait under Activity until somebody says what was decided; nobody is archived."
        found.append(Consequence("Then, if CodeScreen says Failed", detail))
    return found


def afterwards(organization: Organization, found: DryRun) -> list[Consequence]:
    """Return what follows later, once the invitation has gone out."""
    if found.decision.verdict == Verdict.HELD_FOR_APPROVAL:
        detail = "It waits under Activity. The members who want that get one e-mail for all that waits."
        return [Consequence("Until an Admin says yes or no", detail)]
    if found.decision.verdict != Verdict.INVITE:
        return []
    done = Consequence(
        "When CodeScreen says that it is complete",
        f"The tag becomes “{ProgressTag.COMPLETED}”, feedback with the score and the report link is written in "
        "Lever, and the members who want results get an e-mail.",
    )
    return [
        Consequence("Once it is sent", f"The tag “{ProgressTag.INVITED}” is set in Lever."),
        Consequence("When the candidate starts", f"The tag becomes “{ProgressTag.IN_PROGRESS}”."),
        done,
        *(
            [Consequence("Then, if CodeScreen says Passed or Failed", "Your own result tag is added.")]
            if organization.passed_tag or organization.failed_tag
            else []
        ),
        *_on_outcome(organization),
    ]
