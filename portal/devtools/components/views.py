"""The page at /components/: every button, table, form and message, to look at while one works on a page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from portal.templatetags.icons import DRAWINGS

#: By tone, the states whose names are a badge's class too.
STATES = {
    "good": ["done", "connected"],
    "warn": ["uncertain", "needs_reconnect"],
    "bad": ["failed", "error", "refused"],
    "info": ["due", "leased"],
    "neutral": ["cancelled"],
}
#: By token, what it is for.
COLOURS = {
    "page": "behind everything",
    "card": "cards, tables, fields",
    "sunk": "what can't be changed",
    "brand": "links, what leads on",
    "good": "it worked",
    "warn": "look at it",
    "bad": "it failed",
    "info": "it is on its way",
    "neutral": "it is over",
}


class ExampleForm(forms.Form):
    """A field of each kind, one with an error."""

    role = forms.CharField(help_text="As it is called in Lever.")
    limit = forms.IntegerField(label="Invitations at once", min_value=1)
    assessment = forms.ChoiceField(choices=[("backend", "Backend"), ("frontend", "Frontend")])
    note = forms.CharField(label="Reason (optional)", required=False, widget=forms.Textarea({"rows": 2}))
    pause = forms.BooleanField(
        label="Send nothing for now", help_text="What arrives is kept.", required=False
    )


class ComponentsView(TemplateView):
    """Every component, in each of its states."""

    template_name = "components/page.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page, with a message of each level."""
        messages.success(request, "Approved: the portal sends the invitation.")
        messages.info(request, "The lists are being refreshed.")
        messages.warning(request, "CodeScreen didn't answer; it is asked again in a minute.")
        messages.error(request, "Nothing was saved: the key was refused.")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "icons": sorted(DRAWINGS),
            "states": STATES,
            "colours": COLOURS,
            "form": ExampleForm({"role": "Backend Engineer", "limit": 0, "assessment": "backend"}),
            "page": Paginator(range(60), 20).page(2),
        }
