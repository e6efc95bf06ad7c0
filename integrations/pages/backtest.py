"""Previews of changed rules and of one mapping: what they would have decided lately. Nothing is written."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.catalog.models import RoleMapping
from integrations.core.rules.backtest import DecidedAgain, Unknown, Verdict
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Tone
from integrations.inbox.acts import DAYS, DECIDING_POLICIES, backtest, backtest_of_mapping, newest, rules_of
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization
from integrations.pages.mappings.mapping_edit import MappingCreateView, MappingUpdateView
from integrations.pages.settings.rules import PoliciesForm, RulesView
from integrations.store import database

#: So many deliveries that would differ are listed, the newest.
MOST_LISTED = 50
NOT_KNOWN = "Not known"
WHY_NOT_KNOWN = "Lever wasn't asked about this candidate then."
#: So many deliveries are decided again while somebody waits: a second or two. The command has no such limit.
MOST = 10_000
#: So many deliveries are decided again, twice, while somebody waits: a second or two.
MOST_TWICE = 5_000


@dataclass(frozen=True)
class Words:
    """What the page says of what is tried: its title, the names of the two columns, and the buttons."""

    here: str
    title: str
    lead: str
    then: str
    now: str
    save: str
    back: str


RULES_WORDS = Words(
    "rules",
    "Preview of the rules",
    "decided again by the rules that you entered",
    "Then",
    "With these rules",
    "Save these rules",
    "Back to the rules",
)
MAPPING_WORDS = Words(
    "mappings",
    "Preview of the mapping",
    "decided again without and with this mapping",
    "Today",
    "With it",
    "Save this mapping",
    "Back to the mapping",
)


def time_context(since: datetime, most: int) -> dict[str, object]:
    """Return how far the preview looks back, and whether that is cut, as the page shows it."""
    is_cut = since > database.now() - timedelta(days=DAYS) + timedelta(minutes=1)
    return {"days": DAYS, "is_cut": is_cut, "since": since, "most": most}


@dataclass(frozen=True)
class VerdictCount:
    """How many deliveries got a verdict, and how many would get it."""

    label: str
    then: int
    now: int

    @property
    def difference(self) -> str:
        """The difference with its sign; empty when there is none."""
        return f"{self.now - self.then:+}".replace("-", "−") if self.now != self.then else ""


@dataclass(frozen=True)
class Shown:
    """A verdict as a badge, and below it the name of its assessment, if it has one, or why it isn't known."""

    tone: Tone
    label: str
    detail: str = ""


@dataclass(frozen=True)
class ChangedRow:
    """A delivery that would be decided differently. Without a name the candidate is shown by the id."""

    again: DecidedAgain
    name: str
    role_title: str
    then: Shown
    now: Shown


@dataclass(frozen=True)
class Summary:
    """The counts of a backtest and the newest deliveries that would differ."""

    decided: int
    differing: int
    without_facts: int
    counts: tuple[VerdictCount, ...]
    rows: tuple[ChangedRow, ...]

    @property
    def unlisted(self) -> int:
        """How many more would differ than are listed."""
        return self.differing - len(self.rows)


def summarize(results: Iterable[DecidedAgain], organization: Organization) -> Summary:
    """Return the summary; reads the names of the candidates that are listed."""
    then, now = Counter[VerdictCode](), Counter[VerdictCode | Unknown]()
    listed: deque[DecidedAgain] = deque(maxlen=MOST_LISTED)
    differing = without_facts = 0
    for again in results:
        if not again.is_decided:
            without_facts += 1
            continue
        then[again.then.code] += 1
        now[again.now if isinstance(again.now, Unknown) else again.now.code] += 1
        if again.differs:
            differing += 1
            listed.append(again)
    counts = [
        VerdictCount(code.label, then[code], now[code])
        for code in reversed(VerdictCode)
        if then[code] or now[code]
    ]
    if now[Unknown.NOT_READ]:
        counts.append(VerdictCount(NOT_KNOWN, 0, now[Unknown.NOT_READ]))
    rows = _rows(list(reversed(listed)), organization)
    return Summary(then.total(), differing, without_facts, tuple(counts), rows)


def _rows(listed: list[DecidedAgain], organization: Organization) -> tuple[ChangedRow, ...]:
    people = _people(organization, {again.past.opportunity_id for again in listed} - {""})
    return tuple(
        ChangedRow(
            again, *people.get(again.past.opportunity_id, ("", "")), _shown(again.then), _shown(again.now)
        )
        for again in listed
    )


def _people(organization: Organization, opportunity_ids: set[str]) -> Mapping[str, tuple[str, str]]:
    """Return name and role of the candidates that have a row."""
    rows = Candidate.objects.filter(organization=organization, opportunity_id__in=opportunity_ids)
    return {row.opportunity_id: (row.name, row.role_title) for row in rows}


def _shown(verdict: Verdict | Unknown) -> Shown:
    if isinstance(verdict, Unknown):
        return Shown(Tone.NEUTRAL, NOT_KNOWN, WHY_NOT_KNOWN)
    detail = verdict.assessment.name if verdict.assessment else ""
    return Shown(verdict.code.record.tone, verdict.code.label, detail)


class PreviewRulesView(RulesView):
    """Show what the rules in the form would have decided; `back` shows the form again with what was entered.

    Without a form there is nothing to preview, and the rules are shown.
    """

    def form_valid(self, form: PoliciesForm) -> HttpResponse:  # type: ignore[override]
        """Decide the stored deliveries again by the rules in the form."""
        if "back" in self.request.POST:
            return self.form_invalid(form)
        policies = {name: value for name, value in form.cleaned_data.items() if name in DECIDING_POLICIES}
        since = newest(self.organization, MOST)
        results = backtest(self.organization, rules_of(self.organization, policies), since)
        context = {
            "form": form,
            "summary": summarize(results, self.organization),
            "words": RULES_WORDS,
            "save_url": reverse("rules"),
            "preview_url": reverse("rules-preview"),
            **time_context(since, MOST),
            "decides": bool(DECIDING_POLICIES & form.changed_values().keys()),
        }
        return render(self.request, "integrations/backtest.html", context)


class PreviewNewMappingView(MappingCreateView):
    """Show what the mapping in the form would have decided; `back` shows the form again with what was entered."""

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping, which isn't stored."""
        return _preview(self, form)


class PreviewMappingView(MappingUpdateView):
    """Show what a change of a mapping would have decided; `back` shows the form again with what was entered."""

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping as it is entered, which isn't stored."""
        return _preview(self, form)


def _preview(view: MappingCreateView | MappingUpdateView, form: ModelForm) -> HttpResponse:
    if "back" in view.request.POST:
        return view.form_invalid(form)
    mapping: RoleMapping = form.instance
    since = newest(view.organization, MOST_TWICE)
    context = {
        "form": form,
        "summary": summarize(backtest_of_mapping(view.organization, mapping, since), view.organization),
        "words": MAPPING_WORDS,
        "mapping": mapping,
        "decides": True,
        **view.addresses(),
        **time_context(since, MOST_TWICE),
    }
    return render(view.request, "integrations/backtest.html", context)
