"""The kinds of views that the pages are made of: those that call an operation, parts that update, lists as CSV."""

import csv
import re
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseForm
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import (
    add_never_cache_headers,
    get_conditional_response,
    patch_vary_headers,
    set_response_etag,
)
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import cache_control
from django.views.generic import FormView, TemplateView, View
from django.views.generic.base import ContextMixin

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.accounts.models.attempts import AttemptLimit, Limit, keyed_limits
from integrations.audit.kept_rows import KeptRow, KeptRows
from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit
from integrations.core import slots
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.pages.access import OrganizationMixin, return_url
from integrations.pages.freed import FreedCandidates
from integrations.queue import notify

#: With this header, the page's own address answers with one part of it.
HEADER = "X-Live-Part"
#: A form's token is another one in every answer.
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
#: Decorates a view whose page shows a secret: it is sent as it is, never compressed.
shows_secret = method_decorator(cache_control(no_transform=True), name="dispatch")


class PartialsMixin(TemplateView):
    """Answer a request that names one of `partials` with that partial's template instead of the whole page.

    Address, rights and filters are the same for both. Without JavaScript, reloading the page has the same effect.
    A part that is the same as the one that the browser has (`If-None-Match`) is answered 304, without it.
    """

    partials: dict[str, str] = {}

    @property
    def partial(self) -> str:
        """The name of the requested partial; empty for the whole page."""
        name = self.request.headers.get(HEADER, "")
        return name if name in self.partials else ""

    def get_template_names(self) -> list[str]:
        return [self.partials[self.partial]] if self.partial else super().get_template_names()

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Vary on the header, so that no cache serves a partial for the page or the reverse."""
        response = cast(TemplateResponse, super().render_to_response(context, **kwargs))
        patch_vary_headers(response, [HEADER])
        if not self.partial:
            return response
        add_never_cache_headers(response)
        without_tokens = HttpResponse(_TOKEN.sub(b"", response.render().content))
        response["ETag"] = tag = set_response_etag(without_tokens)["ETag"]
        return get_conditional_response(self.request, tag, response=response) or response


#: What one person may have added to the audit log: so much at once, later one each three seconds.
ACTS = (Limit(100, 3.0),)


def count_act(person: User) -> None:
    """Count something that stays in the audit log for good: nobody may add to it without end. Raises Busy."""
    if AttemptLimit.refusal(keyed_limits(f"acts:{person.pk}", ACTS)):
        raise slots.Busy


class OperationView(FormView):
    """Show a page with a form; call an operation when the form is valid, and say what came of it.

    Why it wasn't done becomes an error of the form, which is shown again.
    """

    #: Where a ValidationError is shown whose field the form doesn't have; None for the form as a whole.
    error_field: str | None = None
    #: The URL name of the page that follows, unless the form's `next` names one; and the part of that page.
    following_page = ""
    anchor = ""
    http_method_names = ["get", "head", "options", "post"]

    def operate(self, form: Any) -> str | HttpResponseBase | None:
        """Do it. Return the sentence that says so; None when nothing was changed; or another answer than that.

        Raises ValidationError, ActionNotAllowed or PlatformError with the reason why it wasn't done.
        """
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        """Call the operation, wake the workers, and lead on to the page that follows. Raises Busy."""
        count_act(cast(User, self.request.user))
        freed = FreedCandidates(getattr(self, "membership", None))
        try:
            done = self.operate(form)
        except ValidationError as error:
            for field, errors in getattr(error, "error_dict", {"": error}).items():
                form.add_error(field if field in form.fields else self.error_field, errors)
            return self.form_invalid(form)
        except (ActionNotAllowed, PlatformError) as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        notify.notify_workers()
        if isinstance(done, HttpResponse):
            freed.tell(self.request)
            return done
        if done is None:
            messages.info(self.request, "Nothing was changed.")
        else:
            messages.success(self.request, str(done))
            freed.tell(self.request)
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        """Return the page of this site that the form's `next` names, else the page that follows."""
        return return_url(self.request, reverse(self.following_page) + self.anchor)


class ProvenChangesMixin(ContextMixin, View):
    """A page that is looked at as it is, and whose forms take a fresh proof of who the person is.

    Without one it shows no field: its links lead to `?change`, which asks first, so that nothing typed is lost.
    """

    following_page = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for the proof before a change."""
        wanted = proof_wanted(request, f"{reverse(self.following_page)}?change")
        if wanted and (request.method == "POST" or "change" in request.GET):
            return wanted
        self.may_change = wanted is None
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_change=self.may_change, **kwargs)


class ReasonForm(forms.Form):
    """The optional reason for an act, kept in the audit log."""

    reason = forms.CharField(required=False, max_length=500)


def show_as_messages(request: HttpRequest, form: BaseForm) -> None:
    """Show each error of the form as a message, on the page that follows."""
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))


class ActView(OperationView):
    """Do one thing on POST, and return to the page that the button is on; why it wasn't done is a message there."""

    form_class: type[BaseForm] = ReasonForm
    http_method_names = ["post"]

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        show_as_messages(self.request, form)
        return redirect(self.get_success_url())


class ConfirmedActView(ActView):
    """An act with a page that says what it affects and asks first."""

    http_method_names = OperationView.http_method_names


class RowMixin[Row: models.Model](OrganizationMixin):
    """A view of one of the organization's rows; its template reads `view.row`."""

    model: type[Row]

    @cached_property
    def row(self) -> Row:
        """The row that the address names; 404 for another organization's, and once it is gone."""
        rows = self.model._default_manager.filter(organization=self.organization)
        return get_object_or_404(rows.select_related("organization"), pk=self.kwargs["pk"])


class RemoveRowView[Row: KeptRow](RowMixin[Row], ActView):
    """Remove a kept row on POST."""

    kept: KeptRows[Row]
    #: The sentence that says so, with a place for the row's name.
    removed = ""

    def operate(self, form: Any) -> str | None:
        """Remove it; nothing is changed where somebody else has meanwhile."""
        name = str(self.row)
        return self.removed.format(name) if self.kept.remove(self.row, self.user) else None


class ListExport(OrganizationMixin):
    """A view that answers with a list as a file, which is recorded: how many lines, but nobody's name."""

    http_method_names = ["get"]
    #: What the list is of, as the audit log says it, and the URL name of the page that shows it.
    list_name = ""
    list_page = ""

    def file(
        self, filename: str, columns: Iterable[str], rows: Iterable[Iterable[object]]
    ) -> HttpResponseBase:
        """Return the rows as a file, written before it is sent; record how many, with the filters by name alone.

        Where they are too many, lead to the page of the list instead, and say so there. Raises Busy.
        """
        slots.hold(slots.Work.EXPORT, self.organization.pk)
        count_act(self.user)
        with ExitStack() as unsent:
            file = unsent.enter_context(TemporaryFile())
            try:
                lines = write_csv(file, columns, rows)
            except ListTooLong:
                sentence = "This list is too long for one file. Export it in parts: filter it by date."
                messages.error(self.request, sentence)
                return redirect(f"{reverse(self.list_page)}?{self.request.GET.urlencode()}")
            self._record(lines)
            file.seek(0)
            unsent.pop_all()
        return FileResponse(
            file, as_attachment=True, filename=filename, content_type="text/csv; charset=utf-8"
        )

    def _record(self, lines: int) -> None:
        given = self.request.GET.items()
        changes: dict[str, tuple[object, object]] = {
            "list": (None, self.list_name),
            "lines": (None, lines),
            # not their values: what was searched for may be a candidate's name, and the log outlives their other data
            "filters": (None, ", ".join(sorted(name for name, value in given if value))[:300] or "none"),
        }
        audit(self.organization, self.user, AuditAction.EXPORT_LIST, changes)


# CSV for spreadsheets: UTF-8, with no cell that a spreadsheet takes for a formula.


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_cell(value: str) -> str:
    """Return text that a spreadsheet doesn't take for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


#: The longest file, in characters: a third of a million candidates.
MOST_CHARACTERS = 64_000_000


class ListTooLong(Exception):
    """The list makes a longer file than the portal writes."""


def write_csv(file: IO[bytes], columns: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    """Write the heading and the rows, and return how many rows there are.

    What is None is an empty cell; times are in UTC. The file begins with a byte order mark: without it Excel takes
    UTF-8 for the computer's own old character set. Raises ListTooLong.
    """
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        writer = csv.writer(text)
        length, count = writer.writerow(columns), 0
        for row in rows:
            length, count = length + writer.writerow([_text(cell) for cell in row]), count + 1
            if length > MOST_CHARACTERS:
                raise ListTooLong
        return count
    finally:
        text.detach()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else csv_cell(str(cell))
