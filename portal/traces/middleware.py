"""The span of a request: which page or endpoint, and the status of the answer."""

import time
from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from integrations.core import spans

#: A client may send any other word.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestSpanMiddleware:
    """Tells of each request that reached a page or an endpoint, where traces are on; not of probes and scrapes.

    Its name is that of the address' pattern: the address itself may hold a key.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not spans.are_recorded():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        began = time.monotonic()
        answer = self.get_response(request)
        if request.resolver_match is not None:
            spans.ended(
                request.resolver_match.view_name,
                time.monotonic() - began,
                request.META.get(spans.LEADS_TO, ""),
                is_first=True,
                method=request.method if request.method in METHODS else "_OTHER",
                status=answer.status_code,
            )
        return answer
