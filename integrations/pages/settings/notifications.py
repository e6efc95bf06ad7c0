"""Who gets which e-mails: a person's own settings, each member's, and unsubscribing."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from integrations.accounts.models.sessions import AttemptLimit, Limit, keyed_limits
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.lists import keys_of
from integrations.members.acts.members import choose_own_candidates
from integrations.members.models.membership import NOT_FOUND_IN_LEVER, SUPER_ADMINS, OwnChoice
from integrations.notifications import notices
from integrations.notifications.acts import save_preferences
from integrations.notifications.models.email_kind import EmailKind
from integrations.pages import times
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import ConfirmedActView

PAGE = 50
#: How often one member may choose their own e-mails.
OWN_CHANGES = (Limit(10, 600.0),)


def _chosen(request: HttpRequest, prefix: str) -> dict[EmailKind, bool]:
    """Return which kinds are ticked in the form, where the boxes' names begin with `prefix`."""
    return {kind: f"{prefix}{kind}" in request.POST for kind in EmailKind}


class NotificationsView(OrganizationMixin, ConfirmedActView):
    """Which e-mails the signed-in person gets from this organization, and their time zone."""

    template_name = "integrations/notifications.html"
    following_page = "notifications"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_wanted = notices.preferences_of([self.membership])[self.membership.pk]
        return super().get_context_data(
            kinds=[(kind, is_wanted[kind]) for kind in EmailKind],
            own_choices=[(choice, getattr(self.membership, choice)) for choice in OwnChoice],
            not_found=NOT_FOUND_IN_LEVER,
            address=self.user.email,
            continents=times.zones_by_continent(),
            chosen_zone=times.chosen_zone(self.request),
            **kwargs,
        )

    def operate(self, form: Form) -> str | None:
        """Store the choices, and the time zone if it was posted too.

        Each change stays in the audit log for good, so that nobody may make them without end.
        """
        posted = self.request.POST
        if refusal := AttemptLimit.refusal(keyed_limits(f"choose_emails:{self.membership.pk}", OWN_CHANGES)):
            raise ActionNotAllowed(
                f"You changed this often just now. Wait {refusal.in_words}, then try again."
            )
        zone_changed = "time_zone" in posted and times.choose_zone(self.user, posted["time_zone"])
        changed = save_preferences(self.membership, _chosen(self.request, "kind-"), self.user)
        own_changed = self.membership.sees_all_candidates and choose_own_candidates(
            self.membership, {choice: choice in posted for choice in OwnChoice}, self.user
        )
        return "Your settings are saved." if changed or own_changed or zone_changed else None


class TeamNotificationsView(OrganizationMixin, ConfirmedActView):
    """Which e-mails each member gets."""

    template_name = "integrations/notifications_team.html"
    following_page = "notifications-team"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        members = self.organization.memberships.select_related("user").order_by("user__username", "pk")
        page = Paginator(members, PAGE).get_page(self.request.GET.get("page"))
        is_wanted = notices.preferences_of(page)
        rows = [
            (member, [(kind.value, kind.label, is_wanted[member.pk][kind]) for kind in EmailKind])
            for member in page
        ]
        return super().get_context_data(page=page, rows=rows, kinds=EmailKind.choices(), **kwargs)

    def operate(self, form: Form) -> str | None:
        """Store the choices of the members that were shown; their ids are posted, so an unticked box counts."""
        shown = keys_of(self.request.POST.getlist("member")[: PAGE * 2])
        members = list(
            self.organization.memberships.filter(pk__in=shown).select_related("user", "organization")
        )
        changed = [
            member
            for member in members
            if save_preferences(member, _chosen(self.request, f"kind-{member.pk}-"), self.user)
        ]
        return f"Stored for {counted(len(changed), 'member')}." if changed else None


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class UnsubscribeView(View):
    """Unsubscribe from one kind of e-mail by the link in it: GET asks, POST does it (RFC 8058).

    The token is the proof, so neither a session nor a CSRF token is needed: a mail program has none.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask; GET changes nothing, since mail scanners open every link."""
        return self._answer(request, token, is_done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Unsubscribe; safe to run twice."""
        return self._answer(request, token, is_done=True)

    def _answer(self, request: HttpRequest, token: str, *, is_done: bool) -> HttpResponse:
        unsubscription = notices.read_token(token)
        if unsubscription is None:
            return render(request, "integrations/unsubscribe.html", {"is_unknown": True}, status=404)
        member, kind = unsubscription
        if is_done:
            save_preferences(member, {kind: False}, member.user)
        context = {"about": kind.label, "sender": member.organization.name, "is_done": is_done}
        return render(request, "integrations/unsubscribe.html", context)
