"""Traces for an OpenTelemetry collector, where OTEL_EXPORTER_OTLP_ENDPOINT names one; nothing is imported elsewhere."""

from contextlib import suppress

from django.conf import settings


def start() -> None:
    """Have the spans of this process, and of those that it forks, sent to the collector if one is named."""
    if settings.TRACES_ENDPOINT:
        with suppress(ImportError):  # portal.checks reports that packages are missing
            from portal.traces.recorder import TraceRecorder  # noqa: PLC0415 - only where traces are wanted

            TraceRecorder(settings.TRACES_ENDPOINT).begin()
