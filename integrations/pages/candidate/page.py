"""The page of one candidate: where they stand, what was written to Lever and the technical record; and two downloads.

They are the report attached in Lever, and everything that the portal holds about a candidate who asks for it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from integrations.audit.models.entry import AuditAction
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Tone
from integrations.data_inventory import Table
from integrations.effects.kind import Words
from integrations.effects.perform import kind_of
from integrations.effects.report_words import ReportWords
from integrations.inbox.models.verdict import next_step
from integrations.invitations.acts.chosen import why_not_invitable
from integrations.invitations.models.candidate import Candidate
from integrations.lever.lookups import candidate_page
from integrations.members.models.membership import ADMINS
from integrations.outbox.models import Effect
from integrations.pages.access import OrganizationMixin, sees, visible
from integrations.pages.activity.actions import redacted_json
from integrations.pages.candidate.card import card_of_candidate, card_of_invitation, journey, later_verdict
from integrations.pages.candidate.events import events
from integrations.pages.candidate.rows import MOST, NEWEST, CandidateRows
from integrations.pages.views import PartialsMixin
from integrations.privacy.acts import HeldData, held_data, record_subject_access
from integrations.privacy.models import Erasure

TECHNICAL = "technical"
Kind, State = Effect.Kind, Effect.State
REPLACED = "It is no longer in Lever: a later report took its place."
ERASED = "The words were erased with the person's data."
#: By state: what is said of it, and the tone. A cancelled one wrote nothing.
STATES = {
    State.DONE.value: ("Written", Tone.GOOD),
    State.DUE.value: ("Waiting", Tone.INFO),
    "leased": ("Being written", Tone.INFO),
    State.FAILED.value: ("Not written", Tone.BAD),
    State.UNCERTAIN.value: ("Possibly written", Tone.WARN),
}
_POLICIES = {
    "retention_days": "the time for which the organization keeps personal data",
    "call_retention_days": "the time for which the organization keeps calls",
    "delivery_retention_days": "the time for which the organization keeps webhooks",
}


class CandidateView(OrganizationMixin, PartialsMixin):
    """Show everything the portal knows about one opportunity; 404 when the person sees no row of it.

    `?show=technical` shows the technical record instead of the story.
    """

    template_name = "integrations/candidate.html"
    partials = {
        "story": "integrations/_candidate_story.html",
        TECHNICAL: "integrations/_candidate_technical.html",
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the candidate's rows."""
        opportunity_id: str = self.kwargs["opportunity_id"]
        if not sees(self.membership, opportunity_id):
            raise Http404("No such candidate here.")
        most = MOST if "all" in self.request.GET else NEWEST
        rows = CandidateRows(self.organization, opportunity_id, most)
        if not rows.exist:
            raise Http404("No such candidate here.")
        is_technical = self.request.GET.get("show") == TECHNICAL
        return super().get_context_data(
            rows=rows,
            part=TECHNICAL if is_technical else "story",
            lever_page=candidate_page(opportunity_id),
            report_url=rows.report_url,
            shown_of_each=most,
            may_show_more=most < MOST,
            now=timezone.now(),
            **(technical_record(rows) if is_technical else _story(rows)),
            **kwargs,
        )


def _story(rows: CandidateRows) -> dict[str, Any]:
    card = card_of_candidate(rows)
    return {
        "card": card,
        "may_be_invited": rows.candidate is not None and not why_not_invitable(rows.candidate),
        "steps": journey(rows, card),
        "later_verdict": (later := later_verdict(rows)),
        "later_step": next_step(later.code) if later else "",
        "others": [card_of_invitation(one, rows.latest_result(one)) for one in rows.invitations[1:]],
        "written": written_to_lever(rows.effects, rows.erasure),
        "events": events(rows),
        "is_cut": rows.is_cut,
    }


def written_to_lever(effects: Iterable[Effect], erasure: Erasure | None) -> list[dict[str, Any]]:
    """Return what was written and what is to be, the newest first; what was no longer wanted is left out.

    Each has its words, its state with the tone, and when. The remark stands where words lack, or for what became of it.
    """
    effects = list(effects)
    current = current_reports(effects)
    items = []
    for effect in effects:
        kind = kind_of(effect)
        if not kind.heading or effect.state == State.CANCELLED or effect.end_reason:
            continue
        words, (state, tone) = kind.words(effect), STATES[effect.shown_state]
        at = (
            effect.done_at
            or (effect.failed_at if effect.state == State.FAILED else None)
            or effect.created_at
        )
        remark = REPLACED if words.file and words.is_kept and effect not in current else ""
        if effect.state == State.DONE and words.missing:
            remark = ERASED if erasure is not None and at <= erasure.erased_at else words.missing
        items.append(
            {
                "effect": effect,
                "kind": kind,
                "state": state,
                "tone": tone,
                "at": at,
                "words": words,
                "remark": remark,
            }
        )
    return sorted(items, key=lambda item: item["at"], reverse=True)


def current_reports(effects: Iterable[Effect]) -> list[Effect]:
    """Return the effects whose reports are in Lever now: of each invitation the one attached last, unless removed."""
    last: dict[int | None, Effect] = {}
    of_reports = (Kind.ATTACH_REPORT, Kind.REMOVE_REPORT)
    done = [one for one in effects if one.kind in of_reports and one.state == State.DONE and one.done_at]
    for effect in sorted(done, key=lambda one: (one.done_at, one.pk)):
        last[effect.invitation_id] = effect
    return [effect for effect in last.values() if effect.kind == Kind.ATTACH_REPORT]


def technical_record(rows: CandidateRows) -> dict[str, Any]:
    """Return the rows with when each came, the newest first, and whether there may be more of some kind.

    Of calls as many are read as of each other kind.
    """
    own = {"organization": rows.organization, "opportunity_id": rows.opportunity_id}
    calls = list(ApiCall.objects.filter(**own).order_by("-at", "-pk")[: rows.most])
    # of entries at the same time, those of the last step stand first
    entries: list[dict[str, Any]] = [{"kind": "call", "row": one, "at": one.at} for one in calls]
    entries += [{"kind": "effect", "row": one, "at": one.created_at} for one in rows.effects]
    for verdict in rows.verdicts:
        step = next_step(verdict.code, verdict.invitation) if verdict.is_current else ""
        entries.append({"kind": "verdict", "row": verdict, "at": verdict.decided_at, "next_step": step})
    for one in rows.deliveries:
        payload = redacted_json(one.payload)
        entries.append({"kind": "delivery", "row": one, "at": one.received_at, "payload": payload})
    newest_first = sorted(entries, key=lambda entry: entry["at"], reverse=True)
    shown: list[dict[str, Any]] = []
    for kind, run in groupby(newest_first, key=lambda entry: entry["kind"]):
        same = list(run)
        shown += folded(entry["row"] for entry in same) if kind == "call" else same
    return {"entries": shown, "is_cut": rows.is_cut or len(calls) >= rows.most}


def folded(calls: Iterable[ApiCall]) -> list[dict[str, Any]]:
    """Return an entry for each call, and one for all successful reads of the same answer, where the latest stands."""
    groups: dict[object, list[ApiCall]] = {}
    for call in calls:
        is_read = call.method == "GET" and call.status == HTTPStatus.OK and not call.error
        likeness = (call.platform, call.path, call.response_body) if is_read else call.pk
        groups.setdefault(likeness, []).append(call)
    return [
        {
            "kind": "call",
            "row": same[0],
            "at": same[0].at,
            # with the polls that were counted instead of stored
            "times": sum(1 + call.repeats for call in same),
            "first_at": same[-1].at,
            "last_at": max(call.last_at or call.at for call in same),
        }
        for same in groups.values()
    ]


class ReportFileView(OrganizationMixin):
    """Return the PDF; 404 where none was attached, its words were erased, or the person doesn't see the candidate."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the file."""
        own = Effect.objects.filter(organization=self.organization, kind=Effect.Kind.ATTACH_REPORT)
        effect = get_object_or_404(visible(own, self.membership), pk=pk)
        if not effect.written:
            raise Http404("No report was attached here.")
        # a process of the web server pays for the library only when somebody asks for a report
        from integrations.effects.report_pdf import render  # noqa: PLC0415

        file = Words.from_json(effect.written)
        return HttpResponse(
            render(ReportWords.from_json(file.document)),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{file.file}"'},
        )


class CandidateDataView(OrganizationMixin, TemplateView):
    """Show every row about the candidate, table by table; a POST downloads them as JSON. Both are recorded."""

    template_name = "integrations/candidate_data.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show each column with personal data as text."""
        data = self._held_data(counts_mentions=False)
        record_subject_access(data, self.user, AuditAction.LOOK_AT_DATA)
        tables = [
            (held, in_words(held.table.lives), [_personal(held.table, row) for row in held.rows])
            for held in data.tables
        ]
        own = {"organization": self.organization, "opportunity_id": self.kwargs["opportunity_id"]}
        name = Candidate.objects.filter(**own).values_list("name", flat=True).first()
        return super().get_context_data(data=data, tables=tables, name=name, **kwargs)

    def post(self, request: HttpRequest, opportunity_id: str) -> HttpResponse:
        """Return the file."""
        data = self._held_data(counts_mentions=True)
        with transaction.atomic():
            record_subject_access(data, self.user)
        name = re.sub(r"[^\w-]", "-", opportunity_id, flags=re.ASCII)
        return HttpResponse(
            json.dumps(data.to_json(), ensure_ascii=False, indent=2),
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="candidate-{name}.json"'},
        )

    def _held_data(self, *, counts_mentions: bool) -> HeldData:
        """Return what is held. Raises Http404 when this organization has no row about the opportunity."""
        opportunity_id = self.kwargs["opportunity_id"]
        found = held_data(self.organization, opportunity_id, counts_mentions=counts_mentions)
        if found is None:
            raise Http404("No such candidate here.")
        return found


def in_words(lives: str) -> str:
    """Return how long a table's rows are kept, with each policy by what it means instead of its name."""
    for policy, meaning in _POLICIES.items():
        lives = lives.replace(f"`{policy}`", meaning)
    return lives


def _personal(table: Table, row: Mapping[str, object]) -> tuple[object, list[tuple[str, str]]]:
    """Return the key of a row, and its columns with personal data that aren't empty."""
    held = [(name, _text(row[name])) for name in table.candidate if row[name] not in ("", {}, [], None)]
    return row[table.model._meta.pk.attname], held


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
