"""How values and candidates are shown: links, times, JSON without personal data, whether secrets are set, names."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from integrations.admin.access import staff_memberships, visible
from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ResultOutcome, Tone
from integrations.http.redaction import redact, without_addresses
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict, next_step
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.names import CandidateKey, names_of

NOTHING = "–"
#: So many rows that belong to a row are shown on its page.
MAX_SHOWN = 50
#: Keys of e-mail payloads whose values name people, at whatever depth.
_PEOPLE = frozenset({"recipients", "sent_to", "requested", "lines", "subject", "variables"})


def badge(text: str, tone: str) -> SafeString:
    """Return a coloured label; `tone` is a Tone, or a code that the style sheet gives one."""
    return format_html('<span class="badge {}">{}</span>', tone, text)


def sentence(text: str) -> SafeString:
    """Return a text that takes two lines in a list; on a row's page it is whole."""
    return format_html('<div class="sentence">{}</div>', text or NOTHING)


def outcome_badge(outcome: str) -> str | SafeString:
    """Return a result that CodeScreen stated."""
    return badge(outcome, ResultOutcome(outcome).tone) if outcome else NOTHING


def invitation_badge(invitation: Invitation) -> SafeString:
    """Return where an invitation stands."""
    return badge(invitation.words.label, invitation.words.tone)


def verdict_badge(code: str) -> SafeString:
    """Return what was decided about a delivery; of what isn't decided yet that it isn't."""
    if not code:
        return badge("Not decided yet", Tone.INFO)
    record = VerdictCode(code).record
    return badge(record.label, record.tone)


def link(row: Model | None, text: str = "") -> str | SafeString:
    """Return a link to a row's page in the admin."""
    if row is None:
        return NOTHING
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def invitation_link(invitation: Invitation | None) -> str | SafeString:
    """Return a link to an invitation by what it invites to; the candidate's name stands beside it."""
    if invitation is None:
        return NOTHING
    later = f", round {invitation.round}" if invitation.round > 1 else ""
    return link(invitation, f"{invitation.assessment_name}{later}")


def links(rows: Iterable[Model]) -> str | SafeString:
    """Return links to the rows, separated by dots."""
    return format_html_join(" · ", "{}", ((link(row),) for row in rows)) or NOTHING


def list_links(names: Mapping[str, str], **filters: str | int) -> SafeString:
    """Return links to lists of the admin with these filters, separated by dots; `names` are by model."""
    query = urlencode(filters)
    addresses = (
        (f"{reverse(f'admin:integrations_{model}_changelist')}?{query}", name)
        for model, name in names.items()
    )
    return format_html_join(" · ", '<a href="{}">{}</a>', addresses)


def indented(value: object) -> str | SafeString:
    """Return JSON, decoded or as text, indented and without personal data and secrets."""
    text = shown_text(value)
    return format_html("<pre>{}</pre>", text) if text else NOTHING


def shown_text(value: object) -> str:
    """Return JSON, decoded or as text, as it may be shown: indented, without personal data and secrets."""
    if isinstance(value, str):
        if not value:
            return ""
        try:
            value = json.loads(value)
        except ValueError:  # a long body is stored cut off, so it isn't JSON any more
            return without_addresses(str(value))
    return without_addresses(json.dumps(redact(_without_people(value)), ensure_ascii=False, indent=2))


def _without_people(value: object) -> object:
    """Return decoded JSON without what e-mails say and the addresses they go to."""
    if isinstance(value, dict):
        return {
            name: "[redacted]" if name in _PEOPLE and item else _without_people(item)
            for name, item in value.items()
        }
    return [_without_people(item) for item in value] if isinstance(value, (list, tuple)) else value


def time_text(moment: datetime | None) -> str:
    """Return a time with seconds, in UTC as all times of the admin."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M:%S}" if moment else NOTHING


def answer_badge(call: ApiCall) -> SafeString:
    """Return the status, or that there was no answer, and how often the same answer came."""
    times = f" × {call.repeats + 1}" if call.repeats else ""
    is_good = call.status is not None and call.status < HTTPStatus.BAD_REQUEST
    return badge(f"{call.status or 'No answer'}{times}", Tone.GOOD if is_good else Tone.BAD)


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str | SafeString:
    """Return the rows' cells as a table under these heads; of no rows a word that says so."""
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return "None."
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", cells),
    )


def step_after(delivery: Delivery | None) -> str:
    """Return what a person can do about a delivery's verdict."""
    return (next_step(delivery.verdict, delivery.invitation) if delivery else "") or NOTHING


def calls_table(calls: Iterable[ApiCall]) -> str | SafeString:
    """Return the calls as a table: when, what, answer, how long, which attempt."""
    rows = (
        (
            time_text(call.at),
            link(call, f"{call.platform} {call.method} {call.path}"),
            answer_badge(call),
            f"{call.duration_ms} ms",
            call.attempt,
        )
        for call in calls
    )
    return table(("When", "Call", "Answer", "Took", "Attempt"), rows)


def verdicts_table(verdicts: Iterable[Verdict]) -> str | SafeString:
    """Return the verdicts as a table: when, what, whether it holds, why, and what made the portal decide then."""
    rows = (
        (
            time_text(verdict.decided_at),
            link(verdict, verdict.get_code_display()),
            badge("Current", Tone.GOOD) if verdict.is_current else badge("Replaced", Tone.NEUTRAL),
            verdict.explanation,
            verdict.get_cause_display(),
        )
        for verdict in verdicts
    )
    return table(("When", "Verdict", "Status", "Why", "Cause"), rows)


def column(description: str, read: Callable[[Any], object], ordering: str | None = None) -> Any:
    """Return a column of an admin that shows what is read of a row; `ordering` is what the list is sorted by."""

    @admin.display(description=description, ordering=ordering)
    def shown(_: admin.ModelAdmin, row: Model) -> object:
        return read(row)

    return shown


def columns(names: str) -> tuple[str, ...]:
    """Return the columns whose names are written one after the other with spaces between."""
    return tuple(names.split())


def section(title: str, names: str) -> tuple[str, Any]:
    """Return a section of a row's page with these columns, written as for `columns`."""
    return title, {"fields": columns(names)}


def secret_column(name: str, description: str) -> Any:
    """Return a column that says whether a secret is set. It reads the length that ScopedAdmin adds, not the value.

    The type is Any because django-stubs allows only names in `fields`, and Django callables too.
    """

    @admin.display(description=description)
    def column(row: Model) -> SafeString:
        is_set = getattr(row, f"{name}_length", 0)
        return badge("Set", Tone.GOOD) if is_set else badge("Empty", Tone.NEUTRAL)

    return column


#: So many candidates with a name that is searched for are looked up.
MOST_NAMED = 200


def keys_of_name(text: str, rows: QuerySet[Candidate]) -> list[str]:
    """Return the opportunity ids of those of the candidates whose names contain every word of the text."""
    has_words = Q()
    for word in text.split():
        has_words &= Q(name__icontains=word)
    return list(
        rows.filter(has_words).order_by("-entered_at").values_list("opportunity_id", flat=True)[:MOST_NAMED]
    )


def candidate_link(organization_id: int, opportunity_id: str, name: str | None = None) -> str | SafeString:
    """Return a link to the candidate's record in the admin, by name where it is known."""
    if not opportunity_id:
        return NOTHING
    if name is None:
        key = (organization_id, opportunity_id)
        name = names_of([key]).get(key, "")
    address = reverse("admin:candidate", args=[organization_id, opportunity_id])
    return format_html('<a href="{}">{}</a>', address, name or opportunity_id)


class SitePageMixin(admin.ModelAdmin):
    """Rows that are about a candidate: each record leads to the page on the site where members act on it."""

    def candidate_key(self, row: Any) -> CandidateKey:
        """Return which candidate a row is about; the opportunity is empty for none."""
        return row.organization_id, row.opportunity_id

    def what_is(self, row: Any) -> str:
        """Return what a row is, beside whose it is."""
        return str(self.opts.verbose_name)

    def site_page(self, row: Any) -> str:
        """Return the address of the portal's own page about the row; empty where there is none."""
        _, opportunity_id = self.candidate_key(row)
        return reverse("candidate", args=[opportunity_id]) if opportunity_id else ""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Show the row, with the way to its page on the site for members, and for others with who may act."""
        row = options["obj"]
        key = self.candidate_key(row)
        member = staff_memberships(request).get(row.organization_id)
        who = names_of([key]).get(key, "")
        context |= {
            "record_title": f"{who}: {self.what_is(row)}" if who else "",
            "site_page": self.site_page(row),
            "owner": row.organization,
            "is_member": member is not None,
            "data_page": reverse("candidate-data", args=[key[1]])
            if key[1] and member is not None and member.may_configure
            else "",
        }
        return super().render_change_form(request, context, *args, **options)


# Columns that several of these rows have.
DELIVERY_LINK = column("delivery", lambda row: link(row.delivery, row.delivery.what if row.delivery else ""))
INVITATION_LINK = column("invitation", lambda row: invitation_link(row.invitation))
WHERE_IT_FAILED = column("where it failed", lambda row: indented(row.traceback))
CALLS_MADE = column("calls", lambda row: calls_table(row.calls.order_by("-at", "-pk")[:MAX_SHOWN]))
PAYLOAD_SHOWN = column("payload", lambda row: indented(row.payload))


class CandidateMixin(SitePageMixin):
    """Rows that are about a candidate: their names beside them, and a search by name."""

    def complete(self, rows: Sequence[Any]) -> None:
        """Add the candidates' names to the rows of one page of a list."""
        names = names_of(self.candidate_key(row) for row in rows)
        for row in rows:
            row.known_name = names.get(self.candidate_key(row), "")

    @admin.display(description="candidate")
    def candidate(self, row: Any) -> str | SafeString:
        return candidate_link(*self.candidate_key(row), getattr(row, "known_name", None))

    def rows_of_candidates(self, queryset: QuerySet[Any], opportunity_ids: list[str]) -> QuerySet[Any]:
        return queryset.filter(opportunity_id__in=opportunity_ids)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that match by their own columns or by their candidate's name."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if not any(letter.isalpha() for letter in search_term):
            return found, may_repeat

        keys = keys_of_name(search_term, visible(Candidate, request))
        return (found | self.rows_of_candidates(queryset, keys) if keys else found), may_repeat


#: So many rows of the relation are looked through; an opportunity has far fewer.
MOST_RELATED = 1_000


class RelatedSearchMixin(admin.ModelAdmin):
    """Search the related rows first, and then for the rows that belong to those found.

    One query over both tables couldn't use the index of either: it would read all rows.
    """

    #: A foreign key, and the columns of the row it leads to that a search term may equal.
    searched_relation: str
    related_columns: tuple[str, ...]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that match by their own columns or by their relation's, none of them twice."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        related = self.opts.get_field(self.searched_relation).related_model
        if not term or not isinstance(related, type):
            return found, may_repeat
        equal = Q(*((column, term) for column in self.related_columns), _connector=Q.OR)
        keys = list(
            related._default_manager.filter(equal).order_by().values_list("pk", flat=True)[:MOST_RELATED]
        )
        return found | queryset.filter(**{f"{self.searched_relation}__in": keys}), may_repeat
