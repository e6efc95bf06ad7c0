"""Traces for an OpenTelemetry collector, where OTEL_EXPORTER_OTLP_ENDPOINT names one; nothing is imported elsewhere."""

from importlib import metadata

from django.conf import settings

#: It needs the others.
PACKAGE = "opentelemetry-exporter-otlp-proto-http"


def is_installed() -> bool:
    """Whether the packages of portal/requirements/traces.txt are there."""
    try:
        return bool(metadata.version(PACKAGE))
    except metadata.PackageNotFoundError:
        return False


def start() -> None:
    """Have the spans of this process, and of those that it forks, sent to the collector if one is named."""
    if settings.TRACES_ENDPOINT and is_installed():  # portal.checks reports that they are missing
        from portal.traces.recorder import TraceRecorder  # noqa: PLC0415 - only where traces are wanted

        TraceRecorder(settings.TRACES_ENDPOINT).begin()
