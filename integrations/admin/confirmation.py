"""Actions that say what they will do to each chosen row, and do it only after a yes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from integrations.admin.access import Right, has_right
from integrations.admin.base import ScopedAdmin
from integrations.http.errors import PlatformError
from integrations.queue import notify
from integrations.workflow.operations.errors import ActionNotAllowed

MOST_AT_ONCE = 20
TEMPLATE = "admin/integrations/preview.html"


@dataclass(frozen=True)
class Act:
    """One thing people do to rows.

    `foretell(row)` returns what would happen and writes nothing; `perform(row, actor, reason)` does it and returns
    what happened. Both raise NotPossible or PlatformError with the reason why not.
    """

    name: str
    title: str
    button: str
    right: Right
    foretell: Callable[[Any], str]
    perform: Callable[[Any, Any, str], str]
    asks_reason: bool = False


@dataclass
class Foretold:
    """What would become of one row."""

    row: Any
    sentence: str
    is_possible: bool = True
    page: str = field(default="")


def run(
    modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any], act: Act
) -> TemplateResponse | None:
    """Show what the act would do; once that is confirmed, do it and say what happened to each row."""
    rows = list(queryset[: MOST_AT_ONCE + 1])
    if len(rows) > MOST_AT_ONCE:
        modeladmin.message_user(
            request, f"Choose at most {MOST_AT_ONCE}: each is looked at by itself.", messages.ERROR
        )
        return None
    if not has_right(request, act.right):
        raise PermissionDenied
    if request.POST.get("confirmed"):
        _perform(modeladmin, request, rows, act)
        return None
    foretold = [_foretell(modeladmin, request, row, act) for row in rows]
    opts = modeladmin.opts
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": act.title,
        "opts": opts,
        "media": modeladmin.media,
        "act": act,
        "foretold": foretold,
        "possible": [item.row for item in foretold if item.is_possible],
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "list_url": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _foretell(modeladmin: ScopedAdmin, request: HttpRequest, row: Any, act: Act) -> Foretold:
    opts = modeladmin.opts
    page = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    if not has_right(request, act.right, modeladmin.organization_of(row)):
        return Foretold(row, "Your role in this organization doesn't allow it.", is_possible=False, page=page)
    try:
        return Foretold(row, act.foretell(row), page=page)
    except (ActionNotAllowed, PlatformError) as error:
        return Foretold(row, str(error), is_possible=False, page=page)


def _perform(modeladmin: ScopedAdmin, request: HttpRequest, rows: list[Any], act: Act) -> None:
    reason = request.POST.get("reason", "").strip()[:1000]
    for row in rows:
        if not has_right(request, act.right, modeladmin.organization_of(row)):
            modeladmin.message_user(request, f"{row}: your role doesn't allow it.", messages.ERROR)
            continue
        try:
            said = act.perform(row, request.user, reason)
        except (ActionNotAllowed, PlatformError) as error:
            modeladmin.message_user(request, f"{row}: {error}", messages.ERROR)
        else:
            modeladmin.message_user(request, f"{row}: {said}", messages.SUCCESS)
    notify.notify_workers()
