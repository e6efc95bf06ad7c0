"""One's own settings, who gets which e-mail, and the way out of them without signing in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView, View

from integrations.models import EmailKind
from integrations.pages import time_zones
from integrations.pages.access import SUPER_ADMINS, OrganizationMixin
from integrations.workflow.email import preferences, templates

PAGE = 50


def _chosen(request: HttpRequest, prefix: str) -> dict[str, bool]:
    return {kind: f"{prefix}{kind}" in request.POST for kind in EmailKind.values}


class NotificationsView(OrganizationMixin, TemplateView):
    """Which e-mails the signed-in person gets from this organization, and the zone they read times in."""

    template_name = "integrations/notifications.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the person's choices."""
        wishes = preferences.preferences_of([self.membership])[self.membership.pk]
        kinds = [
            {
                "code": code,
                "label": label,
                "purpose": templates.EMAIL_TYPES[code].purpose,
                "is_wanted": wishes[code],
            }
            for code, label in EmailKind.choices
        ]
        return super().get_context_data(
            kinds=kinds,
            address=self.person.email,
            places=time_zones.places(),
            chosen_zone=time_zones.chosen(self.request),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store them."""
        changed = preferences.save_preferences(self.membership, _chosen(request, "kind-"), self.person)
        messages.success(request, "Your choice is stored." if changed else "Nothing was changed.")
        return redirect("notifications")


class TimeZoneView(OrganizationMixin, View):
    """Choose the zone one reads times in, in every organization."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store it."""
        try:
            changed = time_zones.choose(self.person, request.POST.get("time_zone", ""))
        except ValueError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "Your time zone is stored." if changed else "Nothing was changed.")
        return redirect(reverse("notifications") + "#times")


class TeamNotificationsView(OrganizationMixin, TemplateView):
    """Which e-mails each member gets."""

    template_name = "integrations/notifications_team.html"
    allowed_roles = SUPER_ADMINS

    def _page(self) -> Any:
        members = self.organization.memberships.select_related("user").order_by("user__username", "pk")
        return Paginator(members, PAGE).get_page(self.request.GET.get("page"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of members with their choices."""
        page = self._page()
        wishes = preferences.preferences_of(page)
        rows = [
            (member, [(code, label, wishes[member.pk][code]) for code, label in EmailKind.choices])
            for member in page
        ]
        return super().get_context_data(page=page, rows=rows, kinds=EmailKind.choices, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the choices of the members that were shown; each is posted along, so an unticked box counts."""
        shown = [
            int(pk) for pk in request.POST.getlist("member")[: PAGE * 2] if pk.isdecimal() and len(pk) < 18
        ]
        members = list(
            self.organization.memberships.filter(pk__in=shown).select_related("user", "organization")
        )
        changed = [
            member
            for member in members
            if preferences.save_preferences(member, _chosen(request, f"kind-{member.pk}-"), self.person)
        ]
        said = f"Stored for {len(changed)} member{'' if len(changed) == 1 else 's'}."
        messages.success(request, said if changed else "Nothing was changed.")
        return redirect(reverse("notifications-team"))


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class UnsubscribeView(View):
    """Stop one kind of e-mail by the link in it: a page that asks, and a POST that does it (RFC 8058).

    The token is the proof, so neither a session nor a CSRF token is needed: a mail program has none.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask; nothing is changed by looking, since mail scanners open every link."""
        return self._answer(request, token, is_done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Do it; safe to run twice."""
        return self._answer(request, token, is_done=True)

    def _answer(self, request: HttpRequest, token: str, *, is_done: bool) -> HttpResponse:
        found = preferences.read_token(token)
        if found is None:
            return render(request, "integrations/unsubscribe.html", {"is_unknown": True}, status=404)
        member, kind = found
        if is_done:
            preferences.save_preferences(member, {kind: False}, member.user)
        context = {"about": EmailKind(kind).label, "sender": member.organization.name, "is_done": is_done}
        return render(request, "integrations/unsubscribe.html", context)
