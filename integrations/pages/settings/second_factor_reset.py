"""Resetting the second factor of a member who has lost it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.pages.settings.members import MemberView
from integrations.queue import notify
from integrations.recent_sign_in import RecentSignInMixin
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.second_factor import reset_for_member


class ResetSecondFactorView(MemberView, RecentSignInMixin):
    """Say what a reset does and ask why; reset on POST. Both need a fresh proof: it opens another's account."""

    template_name = "integrations/second_factor_reset.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Reset it, unless it isn't this organization's to decide."""
        member = self.member()
        try:
            is_reset = reset_for_member(member, self.user, request.POST.get("reason", ""))
        except ActionNotAllowed as error:
            return self.render_to_response(self._context(error=str(error)))
        if is_reset:
            notify.notify_workers()
            messages.success(
                request, f"The second factor of {member.user} is reset, and they are told by e-mail."
            )
        else:
            messages.info(request, f"{member.user} has no second factor.")
        return redirect("security")

    def _context(self, **kwargs: Any) -> dict[str, Any]:
        return self.get_context_data(reason=self.request.POST.get("reason", ""), **kwargs)
