"""Numbered system checks of the environment variables, and of the services that they name."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection

from portal.environment import Wrong

#: Of a file's mode: who is neither its owner nor of its group.
OF_STRANGERS = 0o007


@register(Tags.security)
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report all missing and malformed variables, each with its fix; warn of values that only a test may use."""
    for_unsafe = Warning if settings.IS_LOCAL else Error
    found: list[tuple[type[Error | Warning], Wrong]] = []
    found += [(Error, wrong) for wrong in settings.CONFIGURATION_ERRORS]
    found += [(for_unsafe, wrong) for wrong in settings.UNSAFE_VALUES]
    return [
        message_type(
            wrong.message,
            hint=f"Set {wrong.name} in the environment or in .env.",
            id=f"portal.{wrong.check}",
        )
        for message_type, wrong in found
    ]


@register(Tags.security)
def check_proxy(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return a warning where no proxy is declared, nothing otherwise.

    With HTTPS there is a proxy: unless it is declared, its address is taken for that of every client. Without HTTPS,
    passwords cross the network in clear.
    """
    if not settings.IS_HTTPS and not settings.IS_LOCAL:
        return [
            Warning(
                "PORTAL_URL is another machine's HTTP address: passwords and sessions cross the network in clear. "
                "Without a proxy in front, a few clients that send slowly hold up everybody else.",
                hint="Put a proxy in front that ends TLS and passes on whole requests "
                "(portal/docs/operating/proxy.md). Set PORTAL_URL to its https:// address.",
                id="portal.W006",
            )
        ]
    if not settings.IS_HTTPS or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "PORTAL_URL is HTTPS, but TRUSTED_PROXIES is 0. Every client seems to have the address of the proxy that "
            "ends TLS. So a stranger who guesses passwords makes others wait.",
            hint="Set TRUSTED_PROXIES to how many proxies of yours are in front, mostly 1. Each of them must add to "
            "X-Forwarded-For.",
            id="portal.W001",
        )
    ]


@register(Tags.security)
def check_env_file(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a .env file that strangers can read: it holds the keys. A group may be the portal's own."""
    if not settings.ENV_FILE_MODE & OF_STRANGERS or settings.IS_LOCAL:
        return []
    message = "Other users of this machine may read .env, which holds the keys."
    return [Error(message, hint="Run: chmod 600 .env", id="portal.E039")]


@register()
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn of a database that can't be reached. It is no error: the database may be about to start."""
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError) as error:
        message = f"The database of DATABASE_URL can't be reached: {first_line(error)}"
        hint = "Correct host, port, user, password, name and options of DATABASE_URL, or start the server."
        return [Warning(message, hint=hint, id="portal.W008")]
    return []


#: The cluster's own process, sentinel, pusher and monitor.
OF_OTHER_PROCESSES = 4


def most_connections() -> int:
    """Return how many connections this node's processes have when every thread works."""
    of_worker = settings.STEP_THREADS + settings.DUTY_THREADS + 1  # and the thread that starts them
    return settings.WEB_WORKERS * settings.WEB_THREADS + settings.Q_WORKERS * of_worker + OF_OTHER_PROCESSES


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
            f"This node opens up to {needed} database connections, and PostgreSQL allows {allowed}. Under load pages "
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


@register()
def check_redis(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a Redis that refuses the portal. Warn of one that can't be reached, which may be about to start."""
    if not settings.REDIS_URL:
        return []
    import redis  # noqa: PLC0415 - only where there is one

    try:
        with redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_OPTIONS) as client:
            client.ping()
    except (redis.AuthenticationError, redis.ResponseError, ValueError, TypeError) as error:
        message = f"The server of REDIS_URL, or its client, refuses the address: {first_line(error)}"
        hint = "Correct user, password, database number, 0 to 15 mostly, and options of REDIS_URL."
        return [Error(message, hint=hint, id="portal.E014")]
    except redis.RedisError as error:
        message = (
            f"The server of REDIS_URL can't be reached, and no work is done until it is: {first_line(error)}"
        )
        hint = "Correct scheme (rediss:// is with TLS), host and port of REDIS_URL, or start the server."
        return [Warning(message, hint=hint, id="portal.W007")]
    return []


def first_line(error: Exception) -> str:
    """Return what a client says of its server."""
    return f"{str(error).strip().splitlines()[0].rstrip('.')}."


@register(Tags.security)
def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report e-mails that nobody gets while PORTAL_URL is public: links to choose a password would be printed."""
    if not settings.IS_MAIL_UNSENT:
        return []
    message = "PORTAL_URL is an HTTPS address, but e-mails are printed or kept instead of sent."
    hint = "Set EMAIL_URL to a mail server, such as smtp+tls://USER:PASSWORD@HOST:587, in the environment or in .env."
    return [Error(message, hint=hint, id="portal.E030")]


@register(Tags.security)
def check_sender(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn of e-mails to people outside that come from nowhere: mail servers refuse them, and nobody is told."""
    if not settings.IS_SENDER_UNKNOWN or settings.IS_MAIL_UNSENT:
        return []
    message = "E-mails come from an address at localhost, which mail servers refuse or take for spam."
    hint = "Set DEFAULT_FROM_EMAIL to an address that the server of EMAIL_URL may send from."
    return [Warning(message, hint=hint, id="portal.W009")]


def require_mail() -> None:
    """Raise ImproperlyConfigured as check_mail says: a web server that `serve` didn't start runs no system checks."""
    for error in check_mail(None):
        raise ImproperlyConfigured(f"({error.id}) {error.msg} {error.hint}")
