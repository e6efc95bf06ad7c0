"""The preview of one mapping: what it would have decided about the last 90 days. Nothing is written."""

from typing import Any

from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.models import RoleMapping
from integrations.pages.access import own_page
from integrations.pages.backtest.summary import MAPPING_WORDS, summarize, time_context
from integrations.pages.mappings.mapping_edit import MappingCreateView, MappingUpdateView, asked_page
from integrations.workflow.operations.backtest import backtest_of_mapping, newest

#: So many deliveries are decided again, twice, while somebody waits: a second or two.
MOST = 5_000


class PreviewNewMappingView(MappingCreateView):
    """Show what the mapping in the form would have decided; `back` shows the form again with what was entered."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again where it can't be saved."""
        if "back" in request.POST:
            self.object = None
            return self.form_invalid(self.get_form())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping, which isn't stored."""
        return _preview(self, form, reverse("mapping-add"), reverse("mapping-add-preview"))


class PreviewMappingView(MappingUpdateView):
    """Show what a change of a mapping would have decided; `back` shows the form again with what was entered."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again where it can't be saved."""
        if "back" in request.POST:
            self.object = self.get_object()
            return self.form_invalid(self.get_form())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping as it is entered, which isn't stored."""
        key = {"pk": form.instance.pk}
        return _preview(
            self, form, reverse("mapping-edit", kwargs=key), reverse("mapping-edit-preview", kwargs=key)
        )


def _preview(
    view: MappingCreateView | MappingUpdateView, form: ModelForm, save_url: str, preview_url: str
) -> HttpResponse:
    mapping: RoleMapping = form.instance
    since = newest(view.organization, MOST)
    context = {
        "form": form,
        "summary": summarize(backtest_of_mapping(view.organization, mapping, since), view.organization),
        "words": MAPPING_WORDS,
        "mapping": mapping,
        "decides": True,
        "save_url": save_url,
        "preview_url": preview_url,
        "next": own_page(view.request, asked_page(view.request), reverse("mapping-list")),
        **time_context(since, MOST),
    }
    return render(view.request, "integrations/backtest.html", context)
