"""Reports errors to Sentry, if the operator wants that: their place and type, never values.

An event is not stripped of what looks secret: it is made anew from the few fields that can't hold a secret. Messages of
exceptions can quote anything, so they stay in the portal's own log, where the correlation id of the event finds them.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint
from sentry_sdk.utils import event_from_exception

from integrations.core import correlation
from portal.logs import MASK, OncePerOutage, outage

#: Loggers whose messages are constant texts with placeholders: the placeholders' values aren't sent.
TRUSTED_LOGGERS = ("integrations.", "portal.", "django.")
#: What a stranger can cause with one request, such as a wrong Host header, is no error of the portal.
IGNORED_LOGGERS = ("django.security.*",)
#: The source of a transaction's name that is an address' pattern, not the address.
ROUTE = "route"

_EVENT_FIELDS = (
    "event_id",
    "timestamp",
    "start_timestamp",
    "platform",
    "level",
    "logger",
    "type",
    "release",
    "environment",
    "server_name",
    "sdk",
    "modules",
)
_CONTEXT_FIELDS = {
    "runtime": ("name", "version"),
    "trace": ("trace_id", "span_id", "parent_span_id", "op", "status", "origin"),
}
_FRAME_FIELDS = ("filename", "abs_path", "function", "module", "lineno", "in_app")
_EXCEPTION_FIELDS = ("type", "module", "thread_id")
_MECHANISM_FIELDS = ("type", "handled", "exception_id", "parent_id", "is_exception_group", "source")
_CRUMB_FIELDS = ("type", "level", "category", "timestamp")
_SPAN_FIELDS = (
    "span_id",
    "parent_span_id",
    "trace_id",
    "op",
    "start_timestamp",
    "timestamp",
    "status",
    "origin",
)


def start_reporting(dsn: str, version: str) -> None:
    """Report errors of this process and its children to the Sentry project of the DSN."""
    sentry_sdk.init(
        dsn=dsn,
        release=version or None,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        before_send=partial(_event_to_send, OncePerOutage()),
        before_send_transaction=safe_event,
        before_breadcrumb=safe_breadcrumb,
        # these send values of their own, past what is above
        enable_logs=False,
        enable_metrics=False,
        spotlight=False,
        # Lever and CodeScreen get no headers that name the portal's own traces
        trace_propagation_targets=[],
    )
    for name in IGNORED_LOGGERS:
        ignore_logger(name)


def _event_to_send(outages: OncePerOutage, event: Event, hint: Hint) -> Event | None:
    """Return the event to send, None for one more about an outage that was reported less than a minute ago.

    What is logged while an error is handled is about that error, even if the log doesn't quote it.
    """
    error = (hint.get("exc_info") or sys.exc_info())[1]
    if (away := outage(error)) and not outages.is_news(away):
        return None
    if error is not None and "exception" not in event:
        event["exception"] = event_from_exception(error)[0]["exception"]
    safe = safe_event(event, hint)
    if away:  # wherever it is noticed
        safe["fingerprint"] = ["outage", away]
    return safe


def safe_event(event: Event, hint: Hint) -> Event:
    """Return an event with the type, the place and the circumstances of an error, and no value of anything."""
    given = cast(Mapping[str, Any], event)
    safe = _pick(given, _EVENT_FIELDS)
    safe["contexts"] = {
        name: _pick(context, _CONTEXT_FIELDS[name])
        for name, context in (given.get("contexts") or {}).items()
        if name in _CONTEXT_FIELDS
    }
    if "exception" in given:
        safe["exception"] = {"values": [_exception(one) for one in _values(given["exception"])]}
    if "logentry" in given:
        safe["logentry"] = {"message": _template(given, hint)}
    if (given.get("transaction_info") or {}).get("source") == ROUTE:
        safe["transaction"], safe["transaction_info"] = given["transaction"], {"source": ROUTE}
    if method := (given.get("request") or {}).get("method"):
        safe["request"] = {"method": method}
    if correlation_id := (given.get("extra") or {}).get("correlation_id") or correlation.current():
        safe["tags"] = {"correlation_id": correlation_id}
    safe["breadcrumbs"] = {
        "values": [_pick(crumb, (*_CRUMB_FIELDS, "data")) for crumb in _values(given.get("breadcrumbs"))]
    }
    if "spans" in given:
        safe["spans"] = [_pick(span, _SPAN_FIELDS) for span in given["spans"]]
    return cast(Event, safe)


def safe_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb:
    """Return a breadcrumb with what kind of thing happened when; of a call its method and status."""
    safe = _pick(crumb, _CRUMB_FIELDS)
    data = _pick(crumb.get("data") or {}, ("http.method", "http.response.status_code", "status_code"))
    return {**safe, **({"data": data} if data else {})}


def _exception(exception: Mapping[str, Any]) -> dict[str, Any]:
    safe = _pick(exception, _EXCEPTION_FIELDS)
    safe["value"] = MASK
    safe["mechanism"] = _pick(exception.get("mechanism") or {}, _MECHANISM_FIELDS)
    frames = (exception.get("stacktrace") or {}).get("frames") or ()
    safe["stacktrace"] = {"frames": [_pick(frame, _FRAME_FIELDS) for frame in frames]}
    return safe


def _template(event: Mapping[str, Any], hint: Hint) -> str:
    """Return a log message with its placeholders.

    Loggers of others may have filled them in: of those, return the place that logged it.
    """
    if str(event.get("logger") or "").startswith(TRUSTED_LOGGERS):
        return str(event["logentry"].get("message"))
    record = hint.get("log_record")
    return f"{record.module}.{record.funcName}" if record else MASK


def _values(part: object) -> Sequence[Mapping[str, Any]]:
    """Return the list in a part of an event, which may be wrapped in an object."""
    values = part.get("values") if isinstance(part, Mapping) else part
    return values if isinstance(values, list) else []


def _pick(part: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: part[name] for name in names if part.get(name) is not None}
