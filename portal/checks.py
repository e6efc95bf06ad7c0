"""Numbered system checks of the environment variables."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

NUMBERS = {
    "SECRET_KEY": "E001",
    "PORTAL_URL": "E002",
    "DATABASE_URL": "E003",
    "EMAIL_URL": "E004",
    "WEB_WORKERS": "E005",
    "Q_WORKERS": "E006",
    "DEBUG": "E007",
    "LEVER_AUTH_URL": "E008",
    "LEVER_API_URL": "E009",
    "CODESCREEN_API_URL": "E010",
    "METRICS_ENABLED": "E011",
    "LOG_LEVEL": "E012",
    "LOG_FORMAT": "E013",
    "REDIS_URL": "E014",
    "POLL_NOT_STARTED_SECONDS": "E015",
    "POLL_IN_PROGRESS_SECONDS": "E016",
    "LEVER_RATE": "E017",
    "LEVER_BURST": "E018",
    "PLATFORM_READ_SECONDS": "E019",
    "ALLOWED_HOSTS": "E020",
    "SENTRY_DSN": "E021",
    "DEFAULT_FROM_EMAIL": "E022",
    "TRUSTED_PROXIES": "E023",
    "HSTS_SUBDOMAINS": "E031",
    "SECURITY_CONTACT": "E032",
    "ALLOW_PRIVATE_ADDRESSES": "E033",
    "SESSION_IDLE_HOURS": "E024",
    "SESSION_MAX_HOURS": "E025",
    "PORTAL_NODE": "E034",
    "DRAIN_SECONDS": "E035",
}
#: What Lever allows each account.
MOST_LEVER_RATE, MOST_LEVER_BURST = 10.0, 20


@register(Tags.security)
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report every missing or malformed variable together, each with its fix."""
    return [
        Error(message, hint=f"Set {name} in the environment or in .env.", id=f"portal.{NUMBERS[name]}")
        for name, message in settings.CONFIGURATION_ERRORS
    ]


@register(Tags.security)
def check_proxy(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return a warning where no proxy is declared, nothing otherwise.

    With HTTPS there is a proxy, which is taken for every client. Without one, passwords cross the network in clear.
    """
    if settings.TRUSTED_PROXIES or (settings.IS_LOCAL and not settings.IS_HTTPS):
        return []
    if settings.IS_HTTPS:
        return [
            Warning(
                "PORTAL_URL is HTTPS, but TRUSTED_PROXIES is 0: the address of the proxy that ends TLS is taken for "
                "that of every client, so that a stranger who guesses passwords makes others wait.",
                hint="Set TRUSTED_PROXIES to how many proxies of yours are in front, mostly 1, and let each of them "
                "add to X-Forwarded-For.",
                id="portal.W001",
            )
        ]
    return [
        Warning(
            "PORTAL_URL is another machine's HTTP address, and TRUSTED_PROXIES is 0. Without a proxy in front, "
            "passwords cross the network in clear, and anybody who keeps a few thousand connections open holds up "
            "everybody else: each is ended after 30 seconds, and nothing limits how many one client has.",
            hint="Put a proxy in front that ends TLS and passes on whole requests: portal/docs/operating/proxy.md.",
            id="portal.W006",
        )
    ]


@register(Tags.security)
def check_env_file(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn of what is wrong with the .env file itself: names that nothing reads, and whether others can read it."""
    found: list[CheckMessage] = [
        Warning(f"{name} in .env is read by nothing.", hint=f"Did you mean {known}?", id="portal.W004")
        for name, known in settings.MISSPELT_VARIABLES
    ]
    if settings.IS_ENV_FILE_EXPOSED:
        message = "Other users of this machine may read .env, which holds the keys."
        found.append(Warning(message, hint="Run: chmod 600 .env", id="portal.W005"))
    return found


@register()
def check_lever_rate(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn where more calls are made than Lever allows: it refuses the rest, and each is made again later."""
    if settings.LEVER_RATE <= MOST_LEVER_RATE and settings.LEVER_BURST <= MOST_LEVER_BURST:
        return []
    return [
        Warning(
            f"LEVER_RATE is {settings.LEVER_RATE:g} and LEVER_BURST {settings.LEVER_BURST}; Lever allows an account "
            f"{MOST_LEVER_RATE:g} calls a second and {MOST_LEVER_BURST} at once after a rest, and refuses more.",
            hint="Leave both unset.",
            id="portal.W003",
        )
    ]


@register(Tags.security)
def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report e-mails that nobody gets while PORTAL_URL is public: links to choose a password would be printed."""
    if not settings.IS_MAIL_UNSENT:
        return []
    message = "PORTAL_URL is an HTTPS address, but e-mails are printed or kept instead of sent."
    hint = "Set EMAIL_URL to a mail server, such as smtp+tls://USER:PASSWORD@HOST:587, in the environment or in .env."
    return [Error(message, hint=hint, id="portal.E030")]


def require_mail() -> None:
    """Raise ImproperlyConfigured as check_mail says: a web server that `serve` didn't start runs no system checks."""
    for error in check_mail(None):
        raise ImproperlyConfigured(f"({error.id}) {error.msg} {error.hint}")
