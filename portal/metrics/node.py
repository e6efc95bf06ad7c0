"""What a node's web server tells of itself: how it answers requests, its version, and whether its database works."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

#: Where the processes of a web server count, so that each can tell of all. Without it this process tells of itself.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Errors that are counted from 0 on: an increase from nothing to 1 would be none to Prometheus.
WEBHOOKS, ERRORS = ("lever-webhook", "codescreen-webhook"), (500, 503)

disable_created_metrics()  # type: ignore[no-untyped-call] # several processes don't have them
_requests = Histogram(
    "portal_request_seconds",
    "Of the node: how long requests took to answer, by page or endpoint and status of the answer",
    ["view", "status"],
    registry=None,
)


class RequestTimesMiddleware:
    """Times the requests that reach a page or an endpoint, where metrics are allowed; not probes and scrapes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        with suppress(OSError):
            for view in WEBHOOKS:
                for status in ERRORS:
                    _requests.labels(view, status)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        began = time.monotonic()
        answer = self.get_response(request)
        if request.resolver_match is not None:
            view = request.resolver_match.view_name
            with suppress(OSError):  # it is answered, also where the folder was cleaned or is full
                _requests.labels(view, answer.status_code).observe(time.monotonic() - began)
        return answer


def register_node(registry: CollectorRegistry, *, is_database_well: bool) -> None:
    """Add what all processes of this node's web server tell, and whether the database works for this one."""
    if FOLDER in os.environ:
        with suppress(ValueError):  # the folder was cleaned
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_requests)
    registry.register(_Server(is_database_well))


class _Server:
    """The version that the web server runs, and whether the database works for this process."""

    def __init__(self, is_database_well: bool) -> None:
        self._is_database_well = is_database_well

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their present values."""
        info = GaugeMetricFamily("portal_info", "Of the node: 1, by version", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info
        yield GaugeMetricFamily(
            "portal_database_answers",
            "Of the node: 1 while the database answers it and stores a row, else 0",
            value=self._is_database_well,
        )
