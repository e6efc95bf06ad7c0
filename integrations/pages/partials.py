"""Parts of a page that update themselves: the page's own address answers with one part when a header names it."""

from typing import Any

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.views.generic import TemplateView

HEADER = "X-Live-Part"


class PartialsMixin(TemplateView):
    """Answer a request that names one of `partials` with that partial's template instead of the whole page.

    Address, rights and filters are the same for both. Without JavaScript, reloading the page has the same effect.
    """

    partials: dict[str, str] = {}

    @property
    def partial(self) -> str:
        """The name of the requested partial; empty for the whole page."""
        name = self.request.headers.get(HEADER, "")
        return name if name in self.partials else ""

    def get_template_names(self) -> list[str]:
        """Return the partial's template, or the page's."""
        return [self.partials[self.partial]] if self.partial else super().get_template_names()

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Vary on the header, so that no cache serves a partial for the page or the reverse."""
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, [HEADER])
        if self.partial:
            add_never_cache_headers(response)
        return response
