"""Parts of a page that keep themselves up to date: the page's own address answers with one part alone when asked."""

from typing import Any

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.views.generic import TemplateView

HEADER = "X-Live-Part"


class LivePartsMixin(TemplateView):
    """Answer a request that names one of `live_parts` with that part's template instead of the whole page.

    The same address, rights and filters hold for both, and without JavaScript reloading does the same.
    """

    live_parts: dict[str, str] = {}

    @property
    def part(self) -> str:
        """The part that is asked for, empty for the whole page."""
        asked = self.request.headers.get(HEADER, "")
        return asked if asked in self.live_parts else ""

    def get_template_names(self) -> list[str]:
        """Return the part's template, else the page's."""
        return [self.live_parts[self.part]] if self.part else super().get_template_names()

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Keep caches from mixing up the page and its parts."""
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, [HEADER])
        if self.part:
            add_never_cache_headers(response)
        return response
