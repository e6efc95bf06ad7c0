"""Every malformed environment variable is a numbered check with its fix: never a traceback, never silence."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from portal import checks

SETTINGS = Path(__file__).resolve().parents[2] / "portal" / "settings.py"
GOOD = {
    "PORTAL_ENV_FILE": os.devnull,
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "sqlite:////tmp/portal.sqlite3",
}

MALFORMED = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "x"),
    ("DEBUG", "maybe"),
    ("ALLOWED_HOSTS", "https://portal.example"),
    ("ALLOWED_HOSTS", "portal.example/path"),
    ("ALLOWED_HOSTS", "portal.example:8000"),
    ("ALLOWED_HOSTS", "portal example"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "all"),
    ("SESSION_IDLE_HOURS", "0"),
    ("SESSION_IDLE_HOURS", "169"),
    ("SESSION_MAX_HOURS", "a week"),
    ("PORTAL_URL", "portal.example"),
    ("PORTAL_URL", "ftp://portal.example"),
    ("PORTAL_URL", "https://"),
    ("PORTAL_URL", "https://portal.example:port"),
    ("PORTAL_URL", "https://[portal"),
    ("PORTAL_URL", "https://portal.example/below"),
    ("PORTAL_URL", "https://user:password@portal.example"),
    ("PORTAL_URL", "https://user@portal.example"),
    ("PORTAL_URL", "https://portal.example/#start"),
    ("PORTAL_NODE", "n" * 101),
    ("DRAIN_SECONDS", "61"),
    ("DRAIN_SECONDS", "-1"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "postgres//x"),
    ("DATABASE_URL", "mysql://user@host/portal"),
    ("DATABASE_URL", "oracle://user@host/portal"),
    ("DATABASE_URL", "portal.sqlite3"),
    ("DATABASE_URL", "postgresql://user@host"),
    ("DATABASE_URL", "postgresql://user@host:port/portal"),
    ("DATABASE_URL", "postgresql://user@host/portal?sslmod=require"),
    ("REDIS_URL", "127.0.0.1:6379"),
    ("REDIS_URL", "http://127.0.0.1:6379"),
    ("REDIS_URL", "redis://127.0.0.1:6379/first"),
    ("REDIS_URL", "rediss://127.0.0.1:6379/0?ssl_cert_reqs=nope"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0?socket_timeuot=3"),
    ("LEVER_API_URL", "api.lever.co"),
    ("LEVER_AUTH_URL", "auth"),
    ("CODESCREEN_API_URL", "//app.codescreen.com"),
    ("EMAIL_URL", "carrier-pigeon://x"),
    ("EMAIL_URL", "smtp://"),
    ("DEFAULT_FROM_EMAIL", "portal"),
    ("WEB_WORKERS", "0"),
    ("WEB_WORKERS", "two"),
    ("Q_WORKERS", "0"),
    ("Q_WORKERS", "-1"),
    ("LEVER_RATE", "0"),
    ("LEVER_RATE", "nan"),
    ("LEVER_BURST", "1.5"),
    ("PLATFORM_READ_SECONDS", "60"),
    ("POLL_NOT_STARTED_SECONDS", "hourly"),
    ("POLL_IN_PROGRESS_SECONDS", "0"),
    ("METRICS_ENABLED", "perhaps"),
    ("LOG_LEVEL", "VERBOSE"),
    ("LOG_FORMAT", "xml"),
    ("HSTS_SUBDOMAINS", "some"),
    ("ALLOW_PRIVATE_ADDRESSES", "some"),
    ("SECURITY_CONTACT", "somebody"),
    ("SECURITY_CONTACT", "http://portal.example/security"),
    ("SECURITY_CONTACT", "https://portal.example/a b"),
    ("SECURITY_CONTACT", "a@b.example\nExpires: never"),
    ("SENTRY_DSN", "hello"),
    ("SENTRY_DSN", "https://sentry.example/1"),
]


def settings_read(monkeypatch, **variables: str) -> dict[str, Any]:
    """Return the settings as read in an environment of these variables alone."""
    for name in checks.NUMBERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**GOOD, **variables}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SETTINGS))


def configuration_errors(monkeypatch, **variables: str) -> list[tuple[str, str]]:
    """Return what reading the settings notes in an environment of these variables alone."""
    errors: list[tuple[str, str]] = settings_read(monkeypatch, **variables)["CONFIGURATION_ERRORS"]
    return errors


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_variable_is_a_numbered_check_that_names_it(monkeypatch, settings, name, value):
    [(named, message)] = configuration_errors(monkeypatch, **{name: value})
    assert named == name
    settings.CONFIGURATION_ERRORS = [(named, message)]
    [reported] = checks.check_environment(None)
    assert reported.id == f"portal.{checks.NUMBERS[name]}"
    assert name in str(reported.hint)


def test_a_malformed_value_is_not_repeated_since_it_may_hold_a_password(monkeypatch):
    values = {
        "DATABASE_URL": "mysql://portal:hunter2@host/portal",
        "PORTAL_URL": "https://portal:hunter2@host",
        "REDIS_URL": "http://:hunter2@host",
        "SECRET_KEY": "hunter2",
        "EMAIL_URL": "pigeon://portal:hunter2@host",
        "SENTRY_DSN": "https://hunter2@host",
    }
    errors = configuration_errors(monkeypatch, **values)
    assert len(errors) == len(values)
    assert "hunter2" not in str(errors)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"DEBUG": "true", "LOG_LEVEL": "debug", "LOG_FORMAT": "JSON", "METRICS_ENABLED": "0"},
        {
            "PORTAL_URL": "https://portal.example/",
            "ALLOWED_HOSTS": "portal.example, .internal,10.0.0.1,[::1],*",
        },
        {"DATABASE_URL": "postgresql://user:p%40ss@host:5432/portal?sslmode=require"},
        {"DATABASE_URL": "postgres://user@/portal"},
        {"DATABASE_URL": "postgres://user@host/portal?connect_timeout=9&tcp_user_timeout=20000"},
        {"SESSION_MAX_HOURS": "8"},
        {"REDIS_URL": "rediss://:secret@redis.example:6380/2"},
        {"REDIS_URL": "unix:///run/redis.sock?db=1"},
        {
            "EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
            "DEFAULT_FROM_EMAIL": "Portal <a@b.example>",
        },
        {"HSTS_SUBDOMAINS": "yes", "SECURITY_CONTACT": "mailto:security@portal.example"},
        {"SECURITY_CONTACT": "security@portal.example"},
        {"SECURITY_CONTACT": "https://portal.example/security?from=txt"},
        {"WEB_WORKERS": "3", "Q_WORKERS": "2", "LEVER_RATE": "5", "PLATFORM_READ_SECONDS": "0.5"},
        {"REDIS_URL": "", "SENTRY_DSN": "", "WEB_WORKERS": "", "EMAIL_URL": "", "PORTAL_URL": ""},
    ],
)
def test_good_values_are_accepted(monkeypatch, variables):
    assert configuration_errors(monkeypatch, **variables) == []


@pytest.mark.parametrize(
    "address", ["", "consolemail://", "filemail:///tmp/mail", "memorymail://", "dummymail://"]
)
def test_a_public_portal_without_a_mail_server_is_a_numbered_error(db, monkeypatch, settings, address):
    read = settings_read(monkeypatch, PORTAL_URL="https://portal.example", EMAIL_URL=address)
    assert read["MAILERS"]["default"]["BACKEND"] == "portal.django_parts.RefusingEmailBackend"
    settings.IS_MAIL_UNSENT = read["IS_MAIL_UNSENT"]
    [error] = checks.check_mail(None)
    assert error.id == "portal.E030"
    assert "Set EMAIL_URL" in str(error.hint)
    assert error in run_checks(), "every command that serves or works runs it"
    with pytest.raises(ImproperlyConfigured, match=r"portal\.E030.*EMAIL_URL"):
        checks.require_mail()


@pytest.mark.parametrize(
    ("portal", "address"),
    [
        ("https://portal.example", "smtp://mail.example:25"),
        ("https://portal.example", "smtp+tls://user:secret@mail.example:587"),
        ("http://127.0.0.1:8000", "consolemail://"),
        ("", ""),
    ],
)
def test_mail_that_is_sent_or_stays_on_this_machine_is_accepted(monkeypatch, settings, portal, address):
    read = settings_read(monkeypatch, PORTAL_URL=portal, EMAIL_URL=address)
    settings.IS_MAIL_UNSENT = read["IS_MAIL_UNSENT"]
    assert checks.check_mail(None) == []
    checks.require_mail()


def test_a_silent_database_is_noticed_in_seconds_unless_the_address_says_otherwise(monkeypatch):
    address = "postgresql://user@host/portal"
    options = settings_read(monkeypatch, DATABASE_URL=address)["DATABASES"]["default"]["OPTIONS"]
    idle = options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    assert max(options["connect_timeout"], idle, options["tcp_user_timeout"] / 1000) <= 6
    read = settings_read(monkeypatch, DATABASE_URL=f"{address}?tcp_user_timeout=90000&sslmode=require")
    options = read["DATABASES"]["default"]["OPTIONS"]
    assert (options["tcp_user_timeout"], options["sslmode"], options["keepalives_idle"]) == (
        90000,
        "require",
        3,
    )


def test_a_misspelt_name_in_the_file_is_a_warning_that_names_the_right_one(monkeypatch, settings, tmp_path):
    file = tmp_path / ".env"
    file.write_text(
        "TRUSTED_PROXY=1\nexport REDIS_URI=redis://h\nFIELD_ENCRYPTION_KEY=x\nLOG_LEVEL=INFO\nOTHER=1\n"
    )
    file.chmod(0o600)
    for name in ("TRUSTED_PROXY", "REDIS_URI", "FIELD_ENCRYPTION_KEY", "LOG_LEVEL", "OTHER"):
        monkeypatch.setenv(
            name, "INFO"
        )  # the file's variables are put into the environment, and go with the test
    read = settings_read(monkeypatch, PORTAL_ENV_FILE=str(file))
    settings.MISSPELT_VARIABLES, settings.IS_ENV_FILE_EXPOSED = (
        read["MISSPELT_VARIABLES"],
        read["IS_ENV_FILE_EXPOSED"],
    )
    warnings = checks.check_env_file(None)
    assert [message.hint for message in warnings] == [
        "Did you mean TRUSTED_PROXIES?",
        "Did you mean REDIS_URL?",
        "Did you mean FIELD_ENCRYPTION_KEYS?",
    ]


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, []), (0o640, ["portal.W005"]), (0o644, ["portal.W005"])]
)
def test_a_file_of_keys_that_others_may_read_is_a_warning(monkeypatch, settings, tmp_path, mode, expected):
    file = tmp_path / ".env"
    file.write_text("")
    file.chmod(mode)
    settings.MISSPELT_VARIABLES = []
    settings.IS_ENV_FILE_EXPOSED = settings_read(monkeypatch, PORTAL_ENV_FILE=str(file))[
        "IS_ENV_FILE_EXPOSED"
    ]
    assert [message.id for message in checks.check_env_file(None)] == expected


def test_every_number_is_used_for_one_variable_that_the_settings_read():
    assert len(set(checks.NUMBERS.values())) == len(checks.NUMBERS)
    assert set(checks.NUMBERS) == {name for name, _ in MALFORMED}


@pytest.mark.parametrize(
    ("is_https", "proxies", "expected"),
    [(True, 0, ["portal.W001"]), (True, 1, []), (False, 0, []), (False, 1, [])],
)
def test_a_proxy_that_is_not_declared_is_a_warning(settings, is_https, proxies, expected):
    settings.IS_HTTPS, settings.TRUSTED_PROXIES = is_https, proxies
    assert [message.id for message in checks.check_proxy(None)] == expected


@pytest.mark.parametrize(
    ("is_local", "is_https", "proxies", "expected"),
    [
        (False, False, 0, ["portal.W006"]),
        (False, True, 0, ["portal.W001"]),
        (True, False, 0, []),
        (False, False, 1, []),
    ],
)
def test_what_is_given_up_is_a_warning_when_others_reach_the_server_without_a_proxy(
    settings, is_local, is_https, proxies, expected
):
    settings.IS_LOCAL, settings.IS_HTTPS, settings.TRUSTED_PROXIES = is_local, is_https, proxies
    assert [message.id for message in checks.check_proxy(None)] == expected


@pytest.mark.parametrize(
    ("rate", "burst", "expected"), [(10.0, 20, []), (10.1, 20, ["portal.W003"]), (10.0, 21, ["portal.W003"])]
)
def test_more_calls_than_lever_allows_are_a_warning(settings, rate, burst, expected):
    settings.LEVER_RATE, settings.LEVER_BURST = rate, burst
    assert [message.id for message in checks.check_lever_rate(None)] == expected


@pytest.mark.parametrize(
    ("url", "proxies", "is_believed"),
    [
        ("http://127.0.0.1:8000", "0", False),
        ("http://127.0.0.1:8000", "1", True),
        ("https://portal.example", "0", True),
    ],
)
def test_the_scheme_that_a_proxy_states_is_believed_only_where_one_is_in_front(
    monkeypatch, url, proxies, is_believed
):
    for name, value in {**GOOD, "PORTAL_URL": url, "TRUSTED_PROXIES": proxies}.items():
        monkeypatch.setenv(name, value)
    assert bool(runpy.run_path(str(SETTINGS))["SECURE_PROXY_SSL_HEADER"]) is is_believed
