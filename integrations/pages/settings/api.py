"""The tokens of programs that read `/api/v1/`."""

from typing import Any

from django import forms
from django.forms import Form
from django.http import HttpResponse
from django.urls import reverse

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.api.acts import API_TOKENS, DEFAULT_DAYS, MOST_DAYS, MOST_TOKENS, make_token
from integrations.api.models import ApiScope, ApiToken
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import OperationView, RemoveRowView, shows_secret


class ApiTokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Such as the program that reads.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="May read",
        choices=ApiScope.choices(),
        initial=list(ApiScope),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="Expires after (days)",
        min_value=1,
        max_value=MOST_DAYS,
        initial=DEFAULT_DAYS,
        help_text=f"At most {MOST_DAYS}.",
    )


@shows_secret
class ApiTokensView(OrganizationMixin, OperationView):
    """List the tokens; make one on POST.

    That takes a fresh proof, not only a page shown after one: the answer holds the token.
    """

    template_name = "integrations/api.html"
    allowed_roles = API_TOKENS.roles
    form_class = ApiTokenForm
    following_page = "api-tokens"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tokens = list(API_TOKENS.of(self.organization))
        return super().get_context_data(
            tokens=tokens, most=MOST_TOKENS, is_full=len(tokens) >= MOST_TOKENS, **kwargs
        )

    def operate(self, form: Form) -> HttpResponse:
        """Make it. The answer shows it, this one time."""
        if wanted := proof_wanted(self.request, reverse("api-tokens")):
            return wanted
        new = make_token(self.organization, actor=self.user, **form.cleaned_data)
        return self.render_to_response(self.get_context_data(form=ApiTokenForm(), new=new))


class RevokeApiTokenView(RemoveRowView[ApiToken]):
    """End a token."""

    model, kept, allowed_roles = ApiToken, API_TOKENS, API_TOKENS.roles
    following_page = "api-tokens"
    removed = "“{}” is revoked. What it is sent with is refused from now on."
