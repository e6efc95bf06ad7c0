"""The preview of changed rules: what they would have decided about the last 90 days. Nothing is written."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.models import Organization
from integrations.models.membership import ADMINS
from integrations.pages.backtest.summary import RULES_WORDS, summarize, time_context
from integrations.pages.settings.policies_form import PoliciesForm
from integrations.pages.settings.rules import RulesView
from integrations.workflow.operations.backtest import DECIDING_POLICIES, backtest, newest, rules_of

#: So many deliveries are decided again while somebody waits: a second or two. The command has no such limit.
MOST = 10_000


class PreviewRulesView(RulesView):
    """Show what the rules in the form would have decided; `back` shows the form again with what was entered.

    Without a form there is nothing to preview, and the rules are shown.
    """

    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Decide the stored deliveries again by the rules in the form."""
        # validating a ModelForm writes to its instance
        form = PoliciesForm(request.POST, instance=Organization.objects.get(pk=self.organization.pk))
        if not form.is_valid() or "back" in request.POST:
            return self.render_to_response(self.get_context_data(policies_form=form))
        policies = {name: value for name, value in form.cleaned_data.items() if name in DECIDING_POLICIES}
        since = newest(self.organization, MOST)
        results = backtest(self.organization, rules_of(self.organization, policies), since)
        context = {
            "form": form,
            "summary": summarize(results, self.organization),
            "words": RULES_WORDS,
            "save_url": reverse("rules"),
            "preview_url": reverse("rules-preview"),
            **time_context(since, MOST),
            "decides": bool(DECIDING_POLICIES & form.changed_values().keys()),
        }
        return render(request, "integrations/backtest.html", context)
