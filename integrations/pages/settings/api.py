"""The tokens of programs that read `/api/v1/`: the form and the buttons on the page Integrations."""

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from integrations.api.acts import API_TOKENS, NewToken, make_token, rotate_token
from integrations.api.models import ApiToken
from integrations.pages.settings.connections import ApiTokenForm, SettingsFormView
from integrations.pages.views import RemoveRowView, shows_secret


@shows_secret
class ApiTokensView(SettingsFormView):
    """Make a token. The answer shows it, this one time."""

    form_class: type[Form] = ApiTokenForm
    form_name = "token_form"
    anchor = "#programs"

    def operate(self, form: Form) -> HttpResponse:
        new = self.new_token(form)
        return self.render_to_response(self.get_context_data(form=ApiTokenForm(), new=new))

    def new_token(self, form: Form) -> NewToken:
        return make_token(self.organization, actor=self.user, **form.cleaned_data)


class RotateApiTokenView(ApiTokensView):
    """Replace a token by a new one, which the answer shows."""

    form_class = Form
    form_name = "rotation"
    http_method_names = ["post"]

    def new_token(self, form: Form) -> NewToken:
        token = get_object_or_404(API_TOKENS.of(self.organization), pk=self.kwargs["pk"])
        return rotate_token(token, self.user, self.request.POST.get("made", ""))


class RevokeApiTokenView(RemoveRowView[ApiToken]):
    """End a token."""

    model, kept, allowed_roles = ApiToken, API_TOKENS, API_TOKENS.roles
    following_page = "settings"
    anchor = "#programs"
    removed = "“{}” is revoked. What it is sent with is refused from now on."
