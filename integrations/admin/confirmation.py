"""Actions on chosen rows: a page first shows what would happen to each row, and they are performed once confirmed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from integrations.admin.access import Right, current_user, has_right
from integrations.admin.base import ScopedAdmin
from integrations.http.errors import PlatformError
from integrations.models import Actor
from integrations.queue import notify
from integrations.workflow.operations.errors import ActionNotAllowed

MAX_ROWS = 20
TEMPLATE = "admin/integrations/preview.html"


@dataclass(frozen=True)
class AdminAction[Row: Model]:
    """Something that people do to rows.

    `preview(row)` returns what would happen and writes nothing; `perform(row, actor, reason)` does it and returns
    what happened. Both raise ActionNotAllowed or PlatformError with the reason why not.
    """

    name: str
    title: str
    button: str
    right: Right
    preview: Callable[[Row], str]
    perform: Callable[[Row, Actor, str], str]
    asks_reason: bool = False


@dataclass(frozen=True)
class ActionPreview:
    """What an action would do to one row, or why it can't."""

    row: Model
    row_url: str
    sentence: str
    is_possible: bool


def run_action[Row: Model](
    model_admin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Row], action: AdminAction[Row]
) -> TemplateResponse | None:
    """Return the page that shows what the action would do; once that is confirmed, do it and return None."""
    rows = list(queryset[: MAX_ROWS + 1])
    if len(rows) > MAX_ROWS:
        model_admin.message_user(
            request, f"Choose at most {MAX_ROWS}: each is previewed separately.", messages.ERROR
        )
        return None
    if not has_right(request, action.right):
        raise PermissionDenied
    if request.POST.get("confirmed"):
        _perform(model_admin, request, rows, action)
        return None
    previews = [_preview(model_admin, request, row, action) for row in rows]
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": action.title,
        "opts": opts,
        "media": model_admin.media,
        "action": action,
        "previews": previews,
        "possible": [preview.row for preview in previews if preview.is_possible],
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "list_url": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _preview[Row: Model](
    model_admin: ScopedAdmin, request: HttpRequest, row: Row, action: AdminAction[Row]
) -> ActionPreview:
    opts = model_admin.opts
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    if not has_right(request, action.right, model_admin.organization_of(row)):
        return ActionPreview(row, url, "Your role in this organization doesn't allow it.", is_possible=False)
    try:
        return ActionPreview(row, url, action.preview(row), is_possible=True)
    except (ActionNotAllowed, PlatformError) as error:
        return ActionPreview(row, url, str(error), is_possible=False)


def _perform[Row: Model](
    model_admin: ScopedAdmin, request: HttpRequest, rows: Sequence[Row], action: AdminAction[Row]
) -> None:
    reason = request.POST.get("reason", "").strip()[:1000]
    for row in rows:
        if not has_right(request, action.right, model_admin.organization_of(row)):
            model_admin.message_user(request, f"{row}: your role doesn't allow it.", messages.ERROR)
            continue
        try:
            outcome = action.perform(row, current_user(request), reason)
        except (ActionNotAllowed, PlatformError) as error:
            model_admin.message_user(request, f"{row}: {error}", messages.ERROR)
        else:
            model_admin.message_user(request, f"{row}: {outcome}", messages.SUCCESS)
    notify.notify_workers()
