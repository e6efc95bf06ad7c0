"""The page that lists a person's own sessions and ends them."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.models import AuditAction, UserSession
from integrations.pages.operation_views import ConfirmedActView
from integrations.recent_sign_in import proof_wanted
from integrations.workflow.operations.account_entries import record_for_person
from portal.accounts.session_rows import row_key

#: More sessions than these aren't listed; ending all others ends them too.
MAX_LISTED = 100


class SessionsView(ConfirmedActView):
    """List the signed-in person's sessions; end one of them, or all others."""

    template_name = "accounts/sessions.html"
    following_page = "sessions"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the sessions that hold, the one of this request first."""
        current = row_key(self.request)
        rows = sorted(self._live()[:MAX_LISTED], key=lambda row: row.pk != current)
        return super().get_context_data(
            sessions=rows,
            current=current,
            idle_hours=settings.SESSION_IDLE_HOURS,
            max_hours=settings.SESSION_MAX_HOURS,
            max_days=_whole_days(settings.SESSION_MAX_HOURS),
            **kwargs,
        )

    def operate(self, form: Form) -> str | HttpResponse:
        """End the session that the form names, or all others, after a fresh proof. Somebody else's is never found."""
        request = self.request
        if wanted := proof_wanted(request, reverse("sessions")):
            return wanted
        others = self._live().exclude(pk=row_key(request))
        named = request.POST.get("session", "")
        chosen = others if "others" in request.POST else others.filter(pk=int(named) if _is_key(named) else 0)
        with transaction.atomic():
            ended = [_in_words(row) for row in chosen[:MAX_LISTED]]
            count = chosen.end()
            if count:
                changes: dict[str, tuple[object, object]] = {"sessions": (", ".join(ended)[:500], "ended")}
                record_for_person(cast(User, request.user), AuditAction.END_SESSIONS, changes)
        if count:
            return "The session was ended." if count == 1 else f"{count} sessions were ended."
        messages.info(request, "There was no such session any more.")
        return redirect("sessions")

    def _live(self) -> Any:
        return UserSession.objects.filter(user=cast(User, self.request.user)).live()


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _in_words(row: UserSession) -> str:
    return f"{row.browser} from {row.address}" if row.address else row.browser


def _whole_days(hours: int) -> int:
    """Return the hours as days; 0 where they are less than two days, or not whole ones."""
    return hours // 24 if hours >= 48 and hours % 24 == 0 else 0
