"""Reports errors to Sentry, if the operator wants that: their place and type, no values.

Messages of exceptions can quote anything, so they stay in the portal's own log, where the correlation id of the event
finds them.
"""

import sys
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.utils import event_from_exception

from integrations.core import correlation
from portal.logs import MASK

#: Loggers whose messages are constant texts with placeholders: the placeholders' values aren't sent.
TRUSTED_LOGGERS = ("integrations.", "portal.", "django.")


def start_reporting(dsn: str, version: str) -> None:
    """Report errors of this process and its children to the Sentry project of the DSN."""
    sentry_sdk.init(
        dsn=dsn,
        release=version or None,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=without_values,
        # Lever and CodeScreen get no headers that name the portal
        trace_propagation_targets=[],
    )
    ignore_logger("django.security.*")  # what a stranger can cause with one request is no error of the portal


def without_values(event: Any, hint: Any) -> Any:
    """Return the event without the texts of exceptions, values in messages, and what was asked for by whom."""
    if "exception" not in event and (error := sys.exc_info()[1]):
        # what is logged while an error is handled is about that error
        options = sentry_sdk.get_client().options
        event["exception"] = event_from_exception(error, options)[0]["exception"]
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = MASK
    if entry := event.get("logentry"):
        logger = str(event.get("logger"))
        is_ours = logger.startswith(TRUSTED_LOGGERS)
        event["logentry"] = {"message": entry["message"] if is_ours else f"An error of {logger}"}
    if event.get("transaction_info", {}).get("source") != "route":
        event.pop("transaction", None)  # it is the address, which may hold a key
    event["tags"] = {"correlation_id": event.get("extra", {}).get("correlation_id") or correlation.current()}
    for name in ("contexts", "extra", "message", "request", "user"):
        event.pop(name, None)
    return event
