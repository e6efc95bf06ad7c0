"""Makes OpenTelemetry's spans of what `integrations.core.spans` is told, and sends them to a collector.

The ids follow from the correlation id, so that nothing has to be stored for a trace that goes through several
processes: all that shares a correlation id is one trace, and its first span is the parent of the steps that follow.
"""

import atexit
import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from integrations.core import correlation, spans
from integrations.core.spans import Told
from integrations.http.session import CallDeferred

logger = logging.getLogger(__name__)

#: How long spans wait for others to be sent with. A process that is killed loses those.
SEND_EVERY_SECONDS = 1.0
#: How long a collector may be silent.
EXPORT_SECONDS = 2.0
#: So long a process waits at its end, for a batch on its way and the rest; also where looking up the collector's name
#: takes longer, or its answer goes on and on.
END_SECONDS = 2 * EXPORT_SECONDS
#: So many spans are sent together. Of more that wait, the oldest are dropped.
MOST_WAITING = 2048
SERVICE = "codescreen-lever-portal"

#: OpenTelemetry's own names of what they have names for.
_ATTRIBUTES = {"method": "http.request.method", "status": "http.response.status_code"}
#: Of a delivery or a random one. Any other came with a request, and may be a text of whoever sent that.
_OWN_ID = re.compile(rf"{correlation.of_delivery('')}\d+|[0-9a-f]{{32}}")
_random = RandomIdGenerator()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span is: its own ids, its parent, and what led to it in another trace."""

    own: SpanContext
    parent: SpanContext | None
    cause: SpanContext | None


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _kind(told: Told) -> SpanKind:
    if "platform" in told:
        return SpanKind.CLIENT
    return SpanKind.SERVER if "method" in told else SpanKind.INTERNAL


def first_span(correlation_id: str) -> SpanContext:
    """Return the ids of the first span under a correlation id: its trace is the beginning of the digest.

    The portal's address is in it, so that two portals may share a collector.
    """
    digest = hashlib.sha256(f"{settings.PORTAL_URL} {correlation_id}".encode()).digest()
    return _context(int.from_bytes(digest[:16]), int.from_bytes(digest[16:24]))


class _GivenIds(IdGenerator):
    """Gives the span that is about to be made the ids of its place."""

    def __init__(self) -> None:
        self.place: ContextVar[Place] = ContextVar("place_of_span")

    def generate_span_id(self) -> int:
        return self.place.get().own.span_id

    def generate_trace_id(self) -> int:
        return self.place.get().own.trace_id


class TraceRecorder:
    """Makes and sends the spans of this process. What fails loses spans, and nothing else."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._ids = _GivenIds()
        self._inside: ContextVar[SpanContext | None] = ContextVar("span", default=None)
        self.forget()

    def begin(self) -> None:
        """Record from now on."""
        os.register_at_fork(after_in_child=self.forget)
        spans.record_by(self)

    def forget(self) -> None:
        """Leave the parent's thread and its connection to the collector to it; the next span begins anew."""
        self._lock = threading.Lock()
        self.provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def end(self) -> None:
        """Send what waits, in END_SECONDS; what takes longer is lost with the process."""
        if self.provider is not None:
            # OpenTelemetry's own wait takes no other time than 30 s, after which a supervisor has killed the process
            sending = threading.Thread(target=self.provider.shutdown, daemon=True)
            sending.start()
            sending.join(END_SECONDS)

    @contextmanager
    def around(self, name: str, correlation_id: str, told: Told, *, is_first: bool) -> Iterator[None]:
        """Record what is inside; what ends by an error is marked, and what goes on at another time isn't."""
        place, began, is_failed = self._place(correlation_id, is_first), time.time_ns(), True
        token = self._inside.set(place.own)
        try:
            yield
            is_failed = False
        except CallDeferred:
            is_failed = False
            raise
        finally:
            self._inside.reset(token)
            self._record(name, correlation_id, told, place, began, time.time_ns(), is_failed=is_failed)

    def ended(self, name: str, correlation_id: str, told: Told, *, seconds: float, is_first: bool) -> None:
        """Record what ended just now; marked where there was no answer, or one that tells of an error of its sender."""
        ended, status = time.time_ns(), told.get("status")
        lowest_error = 400 if "platform" in told else 500
        self._record(
            name,
            correlation_id,
            told,
            self._place(correlation_id, is_first),
            ended - int(seconds * 1e9),
            ended,
            is_failed="status" in told and (status is None or status >= lowest_error),
        )

    def _place(self, correlation_id: str, is_first: bool) -> Place:
        """Return the place of a span: in the span around it, else below the first one of its correlation id."""
        first, around = first_span(correlation_id), self._inside.get()
        cause = around if around is not None and around.trace_id != first.trace_id else None
        if is_first:
            return Place(first, None, cause)
        parent = around if around is not None and cause is None else first
        return Place(_context(first.trace_id, _random.generate_span_id()), parent, cause)

    def _record(
        self,
        name: str,
        correlation_id: str,
        told: Told,
        place: Place,
        began: int,
        ended: int,
        *,
        is_failed: bool,
    ) -> None:
        attributes: dict[str, str | int | float] = {
            _ATTRIBUTES.get(key, f"portal.{key}"): value
            for key, value in told.items()
            if isinstance(value, str | int | float)
        }
        if _OWN_ID.fullmatch(correlation_id):
            attributes["portal.correlation_id"] = correlation_id
        context = (
            set_span_in_context(NonRecordingSpan(place.parent), Context()) if place.parent else Context()
        )
        token = self._ids.place.set(place)
        try:
            span = self._started_tracer().start_span(
                name,
                context,
                _kind(told),
                attributes,
                [Link(place.cause)] if place.cause else [],
                start_time=began,
            )
            if is_failed:
                span.set_status(StatusCode.ERROR)
            span.end(ended)
        except Exception:
            # whatever goes wrong here, the work goes on
            logger.warning("A span is lost", exc_info=True)
        finally:
            self._ids.place.reset(token)

    def _started_tracer(self) -> Tracer:
        """Return this process' tracer; the first call starts the thread that sends its spans."""
        with self._lock:
            if self._tracer is None:
                exporter = OTLPSpanExporter(f"{self._endpoint}/v1/traces", timeout=EXPORT_SECONDS)
                about = {
                    "service.name": SERVICE,
                    "service.version": settings.VERSION,
                    "portal.node": settings.NODE,
                }
                sender = BatchSpanProcessor(exporter, MOST_WAITING, SEND_EVERY_SECONDS * 1000, MOST_WAITING)
                self.provider = TracerProvider(
                    resource=Resource.create(about), shutdown_on_exit=False, id_generator=self._ids
                )
                atexit.register(self.end)
                self.provider.add_span_processor(sender)
                self._tracer = self.provider.get_tracer("portal")
            return self._tracer
