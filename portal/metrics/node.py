"""What a node's web server tells of itself: its answers to webhooks, how busy it is, what it takes, and its version."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from integrations.core.vocabulary import Platform
from portal.process.whole_requests import ARRIVED_AT, PROBES, THREADS

#: Where the processes of a web server count, so that each can tell of all. Without it this process tells of itself.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Answers that are counted from 0 on: an increase from nothing to 1 would be none to Prometheus.
EXPECTED = (200, 202, 401, 500, 503)

disable_created_metrics()  # type: ignore[no-untyped-call] # several processes don't have them
_answers = Histogram(
    "portal_webhook_answer_seconds",
    "Of the node: how long webhooks took to answer, by platform and status of the answer",
    ["platform", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=None,
)
# counters, and no gauges of the present moment: those would keep what a killed process left
_waits = Histogram(
    "portal_web_wait_seconds",
    "Of the node: how long requests that had arrived waited for a thread of the web server",
    buckets=(0.005, 0.05, 0.25, 1.0, 2.5, 5.0, 10.0),
    registry=None,
)
_busy = Counter(
    "portal_web_busy_seconds",
    "Of the node: how long threads of the web server have worked on requests; its rate is how many do",
    registry=None,
)
COUNTED = (_answers, _waits, _busy)


class RequestTimesMiddleware:
    """Times requests, and counts the answers to webhooks, refusals and errors too, where metrics are allowed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not (settings.METRICS_ENABLED or settings.METRICS_TOKEN):
            raise MiddlewareNotUsed
        self.get_response = get_response
        with suppress(OSError):
            for platform in Platform:
                for status in EXPECTED:
                    _answers.labels(platform, status)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if request.path_info in PROBES:  # they have threads of their own
            return self.get_response(request)
        began = time.monotonic()
        answer = self.get_response(request)
        seconds = time.monotonic() - began
        _, root, platform, *_ = f"{request.path_info}//".split("/", 3)
        with suppress(OSError):  # a webhook is taken in, also where the folder was cleaned or is full
            if root == "webhooks" and platform in Platform:
                _answers.labels(platform, answer.status_code).observe(seconds)
            if arrived_at := request.META.get(ARRIVED_AT):
                _waits.observe(began - arrived_at)
            _busy.inc(seconds)
        return answer


def register_node(registry: CollectorRegistry, *, is_database_there: bool) -> None:
    """Add what all processes of this node's web server tell, and whether the database answered this one."""
    if FOLDER in os.environ:
        with suppress(ValueError):  # the folder was cleaned
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in COUNTED:
            registry.register(metric)
    registry.register(_Server(is_database_there))


class _Server:
    """The web server's processes together, the version that they run, and whether the database answered this one."""

    def __init__(self, is_database_there: bool) -> None:
        self._is_database_there = is_database_there

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their present values."""
        info = GaugeMetricFamily("portal_web_info", "Of the node: 1, by version", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info
        yield GaugeMetricFamily(
            "portal_database_answers",
            "Of the node: 1 while the database answers it, else 0",
            value=self._is_database_there,
        )
        yield GaugeMetricFamily(
            "portal_web_threads",
            "Of the node: threads of the web server",
            value=settings.WEB_WORKERS * THREADS,
        )
        sums: defaultdict[str, float] = defaultdict(float)
        for pid in _pids():
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                sums[metric.name] += metric.samples[0].value
        yield GaugeMetricFamily(
            "portal_web_memory_bytes",
            "Of the node: resident memory of the web server's processes",
            value=sums["process_resident_memory_bytes"],
        )
        yield CounterMetricFamily(
            "portal_web_cpu_seconds",
            "Of the node: CPU time of the web server's processes",
            value=sums["process_cpu_seconds"],
        )
        yield GaugeMetricFamily(
            "portal_web_open_files",
            "Of the node: open files of the web server's processes",
            value=sums["process_open_fds"],
        )


def _pids() -> list[str]:
    """Return the ids of the web server's processes: the one that started this one, and all that it started."""
    if FOLDER not in os.environ:
        return ["self"]
    parent = str(os.getppid())
    with suppress(OSError):  # not every system has /proc
        return [parent, *Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return []
