"""The page that disconnects Lever."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.models import Effect, Invitation
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.vocabulary import Platform
from integrations.workflow.effects.registry import kinds_acting_on
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.lever_connection import disconnect_lever


class DisconnectLeverView(OrganizationMixin, TemplateView):
    """Show what disconnecting affects; disconnect on POST."""

    template_name = "integrations/disconnect_lever.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Count the invitations and effects that disconnecting affects."""
        own, status = {"organization": self.organization}, Invitation.Status
        started = [status.INVITED, status.IN_PROGRESS, status.SUBMITTED]
        unsent = [status.PENDING, status.SENDING, status.HELD]
        lever_writes = Effect.objects.filter(
            state=Effect.State.DUE, kind__in=kinds_acting_on(Platform.LEVER), **own
        )
        tokens = signature_tokens.active_tokens(self.organization)
        return super().get_context_data(
            lever=self.organization.lever,
            open_count=Invitation.objects.filter(status__in=started, **own).count(),
            unsent_count=Invitation.objects.filter(status__in=unsent, **own).count(),
            unwritten_count=lever_writes.count(),
            has_made_webhook=any(token.is_made_by_us for token in tokens),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Disconnect."""
        disconnect_lever(self.organization, self.user)
        messages.success(
            request, "Lever is disconnected. What arrives meanwhile is kept and decided afterwards."
        )
        return redirect("settings")
