"""Adding and retiring the signature tokens that prove Lever's webhooks."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connection_forms import AddTokenForm
from integrations.pages.settings.settings_page import SettingsView
from integrations.workflow.operations.signature_tokens import (
    Generation,
    Token,
    active_tokens,
    add_token,
    retire_token,
)


class AddTokenView(SettingsView):
    """Accept an additional signature token."""

    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the token; show the page again with the reason when it isn't valid."""
        form = AddTokenForm(request.POST)
        if form.is_valid():
            name, token = form.cleaned_data["token_name"], form.cleaned_data["additional_token"]
            try:
                webhook = add_token(self.organization, name, token, self.user)
            except ValidationError as error:
                form.add_error("additional_token", error)
            else:
                messages.success(request, f"The token “{webhook.name}” is honoured from now on.")
                return redirect(reverse("settings") + "#webhook")
        return self.render_to_response(self.get_context_data(token_form=form))


class RetireTokenView(OrganizationMixin, TemplateView):
    """Show what retiring a signature token affects; retire it on POST."""

    template_name = "integrations/retire_token.html"
    allowed_roles = SUPER_ADMINS

    def token(self) -> Token:
        """Return the token that the address names; 404 unless it is active and was entered by a person."""
        for token in active_tokens(self.organization):
            is_named = (token.webhook.pk, token.generation) == (self.kwargs["pk"], self.kwargs["which"])
            if is_named and not token.is_made_by_us:
                return token
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the token, and the tokens that stay active without it."""
        retired = self.token()
        others = [token for token in active_tokens(self.organization) if not _ends_with(token, retired)]
        return super().get_context_data(token=retired, others=others, **kwargs)

    def post(self, request: HttpRequest, pk: int, which: str) -> HttpResponse:
        """Retire the token."""
        token = self.token()
        retire_token(token.webhook, token.generation, self.user)
        messages.success(request, f"The token “{token.label}” is retired.")
        return redirect(reverse("settings") + "#webhook")


def _ends_with(token: Token, retired: Token) -> bool:
    """Whether retiring a token ends this one too: itself, and with a current token its webhook's previous one."""
    if token.webhook.pk != retired.webhook.pk:
        return False
    return token.generation == retired.generation or retired.generation == Generation.CURRENT
