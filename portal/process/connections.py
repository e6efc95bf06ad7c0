"""How many database connections a node opens at most, and whether PostgreSQL allows so many."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.db import DatabaseError, InterfaceError, connection

from portal.process.whole_requests import THREADS

#: The cluster's own process, sentinel, pusher and monitor.
OF_OTHER_PROCESSES = 4


def most_connections() -> int:
    """Return how many connections this node's processes have when every thread works."""
    of_worker = settings.STEP_THREADS + settings.DUTY_THREADS + 1  # and the thread that starts them
    of_web_worker = THREADS + 1  # and the one that answers whether it is ready
    return settings.WEB_WORKERS * of_web_worker + settings.Q_WORKERS * of_worker + OF_OTHER_PROCESSES


@register()
def check_connections(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn where PostgreSQL refuses connections that this node alone may open."""
    if connection.vendor != "postgresql":
        return []
    try:
        allowed = _allowed_connections()
    except (DatabaseError, InterfaceError):  # what needs the database says so
        return []
    needed = most_connections()
    if needed <= allowed:
        return []
    return [
        Warning(
            f"This node opens up to {needed} database connections, and PostgreSQL allows {allowed}: under load pages "
            "and webhooks would be answered 503.",
            hint="Raise max_connections, or lower WEB_WORKERS or Q_WORKERS; several nodes add up.",
            id="portal.W002",
        )
    ]


def _allowed_connections() -> int:
    """Return how many connections PostgreSQL allows to roles that aren't superusers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
        return int(cursor.fetchone()[0])
