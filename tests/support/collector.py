"""What stands for an OpenTelemetry collector: it reads the spans that the portal sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.core import spans
from tests.support.alert_receiver import Receiver, receiving

#: Where they aren't installed, traces can't be asked for.
PACKAGES = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


@dataclass(frozen=True)
class Sent:
    """A span as it was sent, with ids in hexadecimal and the attributes as Python's values."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]
    kind: str
    is_failed: bool
    seconds: float
    attributes: dict[str, Any]


def sent_spans(receiver: Receiver) -> list[Sent]:
    """Return all that was sent so far."""
    return [
        Sent(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
            span.DESCRIPTOR.enum_types_by_name["SpanKind"]
            .values_by_number[span.kind]
            .name[len("SPAN_KIND_") :],
            span.status.code == span.status.STATUS_CODE_ERROR,
            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
            values_of(span.attributes),
        )
        for resource in resources(receiver)
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def values_of(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def senders(receiver: Receiver) -> set[str]:
    """Return the ids of the processes that have sent."""
    return {values_of(one.resource.attributes)["service.instance.id"] for one in resources(receiver)}


def resources(receiver: Receiver) -> Iterator[Any]:
    """Yield the parts of all requests, each with what sent it and its spans."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for path, headers, body in list(receiver.requests):
        assert path.endswith("/v1/traces")
        assert headers["content-type"] == "application/x-protobuf"
        yield from ExportTraceServiceRequest.FromString(body).resource_spans


@dataclass
class Traces:
    """The collector, and what sends to it."""

    receiver: Receiver
    recorder: Any

    def sent(self) -> list[Sent]:
        """Return all spans so far, those that waited too."""
        if self.recorder.provider is not None:
            self.recorder.provider.force_flush()
        return sent_spans(self.receiver)


@contextmanager
def collecting(endpoint: str = "") -> Iterator[Traces]:
    """Have the spans of this process sent to a collector, or to an endpoint where there may be none."""
    pytest.importorskip(PACKAGES)
    from portal.traces.recorder import TraceRecorder

    with receiving() as receiver:
        recorder = TraceRecorder(endpoint or receiver.url)
        spans.record_by(recorder)
        try:
            yield Traces(receiver, recorder)
        finally:
            spans.record_by(None)
            if recorder.provider is not None:
                recorder.provider.shutdown()
