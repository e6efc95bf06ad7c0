"""Previews of changed rules and of one mapping: what they would have decided lately. Nothing is written."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.core.rules.backtest import DecidedAgain, PastDecision, Unknown, Verdict
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Tone
from integrations.inbox.acts import DAYS, DECIDING_POLICIES, backtest, backtest_of_mapping, newest, rules_of
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization
from integrations.pages.mappings.mapping_edit import MappingFormView
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


#: What the page says of what is tried: its title, the names of the two columns, and the buttons.
RULES_WORDS = {
    "title": "Preview of the rules",
    "lead": "decided again by the rules that you entered",
    "then": "Then",
    "now": "With these rules",
    "save": "Save these rules",
    "back": "Back to the rules",
}
MAPPING_WORDS = {
    "title": "Preview of the mapping",
    "lead": "decided again without and with this mapping",
    "then": "Today",
    "now": "With it",
    "save": "Save this mapping",
    "back": "Back to the mapping",
}


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
class ShownVerdict:
    """A verdict as a badge, and below it the name of its assessment, if it has one, or why it isn't known."""

    tone: Tone
    label: str
    detail: str


@dataclass(frozen=True)
class ChangedRow:
    """A delivery that would be decided differently. Without a candidate's row, the candidate is shown by the id."""

    past: PastDecision
    candidate: Candidate | None
    then: ShownVerdict
    now: ShownVerdict


@dataclass(frozen=True)
class Summary:
    """How many deliveries got each verdict and would get it, and the newest that would be decided differently."""

    decided: int
    differing: int
    without_facts: int
    counts: list[VerdictCount]
    rows: list[ChangedRow]

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
    ids = {again.past.opportunity_id for again in listed} - {""}
    candidates = Candidate.objects.filter(organization=organization, opportunity_id__in=ids)
    people = {one.opportunity_id: one for one in candidates}
    rows = [
        ChangedRow(again.past, people.get(again.past.opportunity_id), _shown(again.then), _shown(again.now))
        for again in reversed(listed)
    ]
    return Summary(then.total(), differing, without_facts, counts, rows)


def _shown(verdict: Verdict | Unknown) -> ShownVerdict:
    if isinstance(verdict, Unknown):
        return ShownVerdict(Tone.NEUTRAL, NOT_KNOWN, WHY_NOT_KNOWN)
    detail = verdict.assessment.name if verdict.assessment else ""
    return ShownVerdict(verdict.code.record.tone, verdict.code.label, detail)


def _page(
    view: RulesView | MappingFormView,
    results: Iterable[DecidedAgain],
    since: datetime,
    most: int,
    **context: Any,
) -> HttpResponse:
    """Return the page with what the results say, how far they go back, and whether that is cut."""
    is_cut = since > database.now() - timedelta(days=DAYS) + timedelta(minutes=1)
    summary = summarize(results, view.organization)
    context |= {"summary": summary, "days": DAYS, "is_cut": is_cut, "since": since, "most": most}
    return render(view.request, "integrations/backtest.html", context)


class PreviewRulesView(RulesView):
    """Show what the rules in the form would have decided; `back` shows the form again with what was entered.

    Without a form there is nothing to preview, and the rules are shown.
    """

    def form_valid(self, form: PoliciesForm) -> HttpResponse:
        if "back" in self.request.POST:
            return self.form_invalid(form)
        policies = {name: value for name, value in form.cleaned_data.items() if name in DECIDING_POLICIES}
        since = newest(self.organization, MOST)
        return _page(
            self,
            backtest(self.organization, rules_of(self.organization, policies), since),
            since,
            MOST,
            form=form,
            words=RULES_WORDS,
            save_url=reverse("rules"),
            preview_url=reverse("rules-preview"),
            decides=bool(DECIDING_POLICIES & form.changed_values().keys()),
        )


class PreviewMappingView(MappingFormView):
    """Show what a changed or new mapping would have decided; `back` shows the form again with what was entered."""

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping as it is entered, which isn't stored."""
        if "back" in self.request.POST:
            return self.form_invalid(form)
        mapping: RoleMapping = form.instance
        since = newest(self.organization, MOST_TWICE)
        results = backtest_of_mapping(self.organization, mapping, since)
        words = {"words": MAPPING_WORDS, "mapping": mapping, "decides": True}
        return _page(self, results, since, MOST_TWICE, form=form, **words, **self.addresses())
