"""The page that chooses the author of feedback from Lever's active users."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.feedback_author import choose_feedback_author, possible_authors


class FeedbackAuthorView(OrganizationMixin, TemplateView):
    """Show Lever's active users, and store the chosen one."""

    template_name = "integrations/feedback_author.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the users from Lever; without an answer the page says why."""
        context = super().get_context_data(**kwargs)
        try:
            context["authors"] = possible_authors(provider.lever_client(self.organization))
        except PlatformError as error:
            context["problem"] = str(error)
        return context

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the chosen user; an empty choice means the person who connected."""
        user_id = request.POST.get("author", "")
        try:
            lever = provider.lever_client(self.organization)
            name = choose_feedback_author(self.organization, lever, user_id, self.user)
        except (ActionNotAllowed, PlatformError) as error:
            messages.error(request, str(error))
            return redirect("feedback-author")
        author = name or ("The chosen user" if user_id else "The person who connected Lever")
        messages.success(request, f"{author} is the author of feedback from now on.")
        return redirect("rules")
