"""The admin's pages that no list of one model can be: a candidate, the platforms' answers, the check of the log."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from integrations.admin import access, scope
from integrations.admin.answers import MEASURED, answers_to
from integrations.admin.candidate_page import candidate_context
from integrations.admin.log_check import check_log, logs_of
from integrations.models import Organization

#: So many organizations are offered to choose from; an address can name any.
OFFERED = 50


def addresses() -> list[URLPattern]:
    """Return the pages' addresses within the admin."""
    view = admin.site.admin_view
    return [
        path("log/", view(log), name="log"),
        path("answers/", view(answers), name="answers"),
        path("candidates/<int:organization_id>/<path:opportunity_id>/", view(candidate), name="candidate"),
    ]


@require_http_methods(["GET", "POST"])
def log(request: HttpRequest) -> HttpResponse:
    """Show where each log ends; by POST check the chosen one."""
    _require_member(request)
    check = None
    if request.method == "POST":
        slug = request.POST.get("organization", "")
        check = check_log(_log_owner(request, slug), access.current_user(request))
    organizations: list[Organization | None] = list(scope.organizations(request)[:OFFERED])
    if access.is_superuser(request):
        organizations.append(None)
    return _page(
        request,
        "log",
        title="Is this log whole?",
        logs=logs_of(organizations),
        check=check,
    )


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    """Show when each platform last answered the chosen organization, and how fast."""
    _require_member(request)
    organizations = list(scope.organizations(request)[:OFFERED])
    slug = request.GET.get("organization", "")
    chosen = scope.organizations(request).filter(slug=slug).first() if slug else None
    chosen = chosen or next(iter(organizations), None)
    return _page(
        request,
        "answers",
        title="When Lever and CodeScreen last answered",
        organizations=organizations,
        chosen=chosen,
        answers=answers_to(chosen) if chosen else [],
        measured=MEASURED,
    )


@require_safe
def candidate(request: HttpRequest, organization_id: int, opportunity_id: str) -> HttpResponse:
    """Show everything about one candidate."""
    _require_member(request)
    return _page(request, "candidate", **candidate_context(request, organization_id, opportunity_id))


def _page(request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
    request.current_app = admin.site.name
    shown = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, f"admin/integrations/{name}.html", shown)


def _require_member(request: HttpRequest) -> None:
    if not access.has_right(request, "may_retry"):
        raise PermissionDenied


def _log_owner(request: HttpRequest, slug: str) -> Organization | None:
    """Return whose log is to be checked; None for that of the whole portal, which only superusers may."""
    if not slug and access.is_superuser(request):
        return None
    organization = scope.organizations(request).filter(slug=slug).first()
    if organization is None:
        raise PermissionDenied
    return organization
