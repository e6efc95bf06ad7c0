"""The preview of one mapping: what it would have decided about the last 90 days. Nothing is written."""

from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import render

from integrations.models import RoleMapping
from integrations.pages.backtest.summary import MAPPING_WORDS, summarize, time_context
from integrations.pages.mappings.mapping_edit import MappingCreateView, MappingUpdateView
from integrations.workflow.operations.backtest import backtest_of_mapping, newest

#: So many deliveries are decided again, twice, while somebody waits: a second or two.
MOST = 5_000


class PreviewNewMappingView(MappingCreateView):
    """Show what the mapping in the form would have decided; `back` shows the form again with what was entered."""

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping, which isn't stored."""
        return _preview(self, form)


class PreviewMappingView(MappingUpdateView):
    """Show what a change of a mapping would have decided; `back` shows the form again with what was entered."""

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Decide the stored deliveries again with the mapping as it is entered, which isn't stored."""
        return _preview(self, form)


def _preview(view: MappingCreateView | MappingUpdateView, form: ModelForm) -> HttpResponse:
    if "back" in view.request.POST:
        return view.form_invalid(form)
    mapping: RoleMapping = form.instance
    since = newest(view.organization, MOST)
    context = {
        "form": form,
        "summary": summarize(backtest_of_mapping(view.organization, mapping, since), view.organization),
        "words": MAPPING_WORDS,
        "mapping": mapping,
        "decides": True,
        **view.addresses(),
        **time_context(since, MOST),
    }
    return render(view.request, "integrations/backtest.html", context)
