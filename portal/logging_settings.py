"""What is logged, in which format, and from which level."""

from typing import Any, Literal


def logging_settings(level: str, formatter: Literal["text", "json"]) -> dict[str, Any]:
    """Return Django's LOGGING: one handler, to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": "portal.logs.TextFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s%(correlation)s",
            },
            "json": {"()": "portal.logs.JsonFormatter"},
        },
        "filters": {
            "correlation": {"()": "portal.logs.CorrelationId"},
            "outages": {"()": "portal.outage_log.OncePerOutage"},
            "one_line": {"()": "portal.logs.OneLine"},
        },
        "handlers": {
            "stderr": {
                "filters": ["outages", "correlation"],
                "class": "logging.StreamHandler",
                "formatter": formatter,
            },
        },
        "root": {
            "handlers": ["stderr"],
            "level": level,
        },
        "loggers": {
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"filters": ["one_line"]},
            # at DEBUG it would log every address that is called, with candidates' e-mail addresses in the query
            "urllib3": {"level": "INFO"},
            "fido2": {"level": "WARNING"},  # it logs the ids of passkeys
        },
    }
