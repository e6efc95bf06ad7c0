"""Every malformed environment variable is a numbered check with its fix: never a traceback, never silence."""

from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.checks import ERROR, WARNING, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from portal import checks
from portal.environment import Environment
from portal.settings import env
from tests.support.settings import HTTPS, KEY, SETTINGS, answers, configuration_errors, settings_read


def each(check: str, name: str, *values: str) -> list[tuple[str, dict[str, str]]]:
    return [(check, {name: value}) for value in values]


#: Each wrong value, alone or beside others, with the check that answers it.
ANSWERS: list[tuple[str, dict[str, str]]] = [
    *each("portal.E001", "SECRET_KEY", "", "x", "x" * 40, "django-insecure-" + "0a1b2c3d" * 6),
    *each("integrations.E001", "FIELD_ENCRYPTION_KEYS", ""),
    *each("integrations.E002", "FIELD_ENCRYPTION_KEYS", "not a key", f"{KEY},x", "ä" * 44),
    *each("portal.E007", "DEBUG", "maybe"),
    ("portal.E007", {"DEBUG": "True", **HTTPS}),
    *each("portal.E020", "ALLOWED_HOSTS", "https://a.example", "a.example:8000", "a example", "*"),
    *each("portal.E023", "TRUSTED_PROXIES", "-1", "all", "99"),
    ("portal.W001", HTTPS | {"TRUSTED_PROXIES": "0"}),
    ("portal.W006", {"PORTAL_URL": "http://portal.example", "TRUSTED_PROXIES": "1"}),
    *each(
        "portal.E002", "PORTAL_URL", "portal.example", "https://", "https://[portal", "https://<a.example>"
    ),
    *each("portal.E002", "PORTAL_URL", "https://a.example:port", "https://a.example/below", "https://a b"),
    *each("portal.E002", "PORTAL_URL", "https://user:password@a.example", "https://pörtal.example"),
    *each("portal.E003", "DATABASE_URL", "", "mysql://user@host/portal", "portal.sqlite3"),
    *each(
        "portal.E003", "DATABASE_URL", "sqlite:///nowhere/relative.sqlite3", "sqlite:////nowhere/a.sqlite3"
    ),
    *each("portal.E003", "DATABASE_URL", "postgresql://user@host", "postgresql://user@host:port/portal"),
    *each("portal.E003", "DATABASE_URL", "postgresql://user@host/portal?sslmod=require"),
    *each("portal.E003", "DATABASE_URL", "postgresql://user@host/portal?connect_timeout=soon"),
    *each(
        "portal.E014", "REDIS_URL", "127.0.0.1:6379", "http://127.0.0.1:6379", "redis://127.0.0.1:6379/first"
    ),
    *each("portal.E014", "REDIS_URL", "redis://127.0.0.1:6379/0?socket_timeuot=3"),
    *each("portal.W007", "REDIS_URL", "redis://127.0.0.1:9/0"),  # nothing listens there
    *each("portal.E008", "LEVER_AUTH_URL", "auth", "https://user@auth.lever.co"),
    *each("portal.E011", "LEVER_ENVIRONMENT", "mars"),
    *each("portal.E009", "LEVER_API_URL", "api.lever.co/v1"),
    *each("portal.E037", "LEVER_AUDIENCE", "nonsense"),
    *each("portal.E041", "LEVER_EU_AUTH_URL", "auth"),
    *each("portal.E042", "LEVER_EU_API_URL", "api.eu.lever.co/v1"),
    *each("integrations.E003", "LEVER_CLIENT_SECRET", ""),
    ("integrations.W001", {"LEVER_CLIENT_ID": "", "LEVER_CLIENT_SECRET": ""}),
    *each("portal.E010", "CODESCREEN_API_URL", "//app.codescreen.com/api"),
    *each("portal.E004", "EMAIL_URL", "carrier-pigeon://x", "smtp://"),
    ("portal.E030", HTTPS | {"EMAIL_URL": "consolemail://"}),
    *each("portal.E022", "DEFAULT_FROM_EMAIL", "portal"),
    ("portal.W009", HTTPS | {"DEFAULT_FROM_EMAIL": ""}),
    ("portal.W009", HTTPS | {"DEFAULT_FROM_EMAIL": "Portal <root@localhost>"}),
    *each("portal.E005", "WEB_WORKERS", "0", "two", "5000"),
    *each("portal.E006", "Q_WORKERS", "0", "-1", "5000"),
    *each("portal.E040", "OIDC_URL", "https://id.example", "https://portal@id.example", "https://a:b@"),
    *each("portal.E040", "OIDC_URL", "http://a:b@id.example", "https://a:b@id.example/?x=1"),
    *each("portal.E036", "METRICS_TOKEN", "a", "a" * 40),
    *each("portal.E012", "LOG_LEVEL", "VERBOSE"),
    *each("portal.E013", "LOG_FORMAT", "xml"),
    *each("portal.E021", "SENTRY_DSN", "hello", "https://sentry.example/1"),
]


@pytest.mark.parametrize(("expected", "variables"), ANSWERS)
def test_a_wrong_value_is_a_numbered_check_that_names_it_with_its_fix(
    monkeypatch, settings, expected, variables
):
    [answer] = answers(monkeypatch, settings, **variables)
    assert answer.id == expected
    assert answer.hint
    said = f"{answer.msg} {answer.hint}"
    assert any(name in said for name in variables)
    assert not any(
        key in said for key in variables.get("FIELD_ENCRYPTION_KEYS", "").split(",") if len(key) > 1
    )
    assert answer.is_serious() <= (".E" in expected)


@pytest.mark.parametrize(
    "variables",
    [{"SECRET_KEY": "x" * 60}, {"ALLOWED_HOSTS": "*"}, {"METRICS_TOKEN": "token"}],
)
def test_an_unsafe_value_is_a_warning_where_the_portal_is_for_this_machine_alone(
    monkeypatch, settings, variables
):
    [here] = answers(monkeypatch, settings, **variables)
    [public] = answers(monkeypatch, settings, **variables, **HTTPS)
    assert here.level == WARNING
    assert public.level == ERROR
    assert (here.id, here.msg, here.hint) == (public.id, public.msg, public.hint)


def test_a_relative_sqlite_file_is_in_the_project_when_another_folder_is_the_present_one(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    read = settings_read(monkeypatch, DATABASE_URL="sqlite:///portal.sqlite3")
    assert read["CONFIGURATION_ERRORS"] == []
    assert read["DATABASES"]["default"]["NAME"] == str(SETTINGS.parents[1] / "portal.sqlite3")


@pytest.mark.parametrize(
    ("variables", "api", "eu_api"),
    [
        ({}, "https://api.lever.co/v1", "https://api.eu.lever.co/v1"),
        ({"LEVER_ENVIRONMENT": "eu"}, "https://api.eu.lever.co/v1", "https://api.eu.lever.co/v1"),
        # one with another Lever never calls the real one of the EU
        (
            {"LEVER_ENVIRONMENT": "sandbox"},
            "https://api.sandbox.lever.co/v1",
            "https://api.sandbox.lever.co/v1",
        ),
        ({"LEVER_API_URL": "http://127.0.0.1:9/v1"}, "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
        ({"LEVER_EU_API_URL": "http://localhost:9/v1"}, "https://api.lever.co/v1", "http://localhost:9/v1"),
    ],
)
def test_the_lever_environment_gives_the_addresses_that_are_not_set(monkeypatch, variables, api, eu_api):
    read = settings_read(monkeypatch, **variables)
    assert (read["LEVER_API_URL"], read["LEVER_EU_API_URL"]) == (api, eu_api)
    assert read["LEVER_AUDIENCE"] == f"{api}/"


@pytest.mark.parametrize(
    "variables",
    [
        {"DEBUG": "true", "LOG_LEVEL": "debug", "LOG_FORMAT": "JSON"},
        {
            "PORTAL_URL": "https://portal.example/",
            "ALLOWED_HOSTS": "portal.example, .internal,10.0.0.1,[::1]",
        },
        {"DATABASE_URL": "postgresql://user:p%40ss@host:5432/portal?sslmode=require"},
        {"DATABASE_URL": "postgres://user@/portal?connect_timeout=9&tcp_user_timeout=20000"},
        {"REDIS_URL": "rediss://:secret@redis.example:6380/2"},
        {"REDIS_URL": "unix:///run/redis.sock?db=1"},
        {"REDIS_URL": "unix://portal:secret@/run/redis.sock"},
        {
            "EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
            "DEFAULT_FROM_EMAIL": "Portal <a@b.example>",
        },
        {"WEB_WORKERS": "3", "Q_WORKERS": "2", "LEVER_ENVIRONMENT": "EU"},
        {"REDIS_URL": "", "SENTRY_DSN": "", "WEB_WORKERS": "", "EMAIL_URL": "", "PORTAL_URL": ""},
    ],
)
def test_good_values_are_accepted(monkeypatch, variables):
    assert configuration_errors(monkeypatch, **variables) == []


@pytest.mark.parametrize("secret", ["$ecret", "$PORTAL_ENV_FILE", "$LEVER_CLIENT_SECRET"])
def test_a_value_that_begins_with_a_dollar_sign_is_taken_as_it_stands(monkeypatch, secret):
    assert settings_read(monkeypatch, LEVER_CLIENT_SECRET=secret)["LEVER_CLIENT_SECRET"] == secret


def test_the_portal_answers_at_an_ipv6_address(monkeypatch):
    read = settings_read(monkeypatch, PORTAL_URL="http://[::1]:8000")
    assert validate_host("[::1]", read["ALLOWED_HOSTS"])
    assert read["IS_LOCAL"]


@pytest.mark.parametrize(
    ("portal", "address", "is_refused"),
    [
        ("https://portal.example", "", True),
        ("https://portal.example", "filemail:///tmp/mail", True),
        ("https://portal.example", "memorymail://", True),
        ("https://portal.example", "smtp://mail.example:25", False),
        ("http://127.0.0.1:8000", "consolemail://", False),
        ("", "", False),
    ],
)
def test_a_public_portal_without_a_mail_server_is_a_numbered_error(
    db, monkeypatch, settings, portal, address, is_refused
):
    read = settings_read(monkeypatch, PORTAL_URL=portal, EMAIL_URL=address)
    is_refusing = read["MAILERS"]["default"]["BACKEND"] == "portal.django_parts.RefusingEmailBackend"
    settings.IS_MAIL_UNSENT = read["IS_MAIL_UNSENT"]
    errors = [error.id for error in run_checks() if error.id == "portal.E030"]
    assert (is_refusing, errors) == (is_refused, ["portal.E030"] * is_refused)
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_URL") if is_refused else nullcontext():
        checks.require_mail()


def test_a_silent_database_is_noticed_in_seconds_unless_the_address_says_otherwise(monkeypatch):
    address = "postgresql://user@host/portal"
    options = settings_read(monkeypatch, DATABASE_URL=address)["DATABASES"]["default"]["OPTIONS"]
    idle = options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    assert max(options["connect_timeout"], idle, options["tcp_user_timeout"] / 1000) <= 4
    read = settings_read(monkeypatch, DATABASE_URL=f"{address}?tcp_user_timeout=90000&sslmode=require")
    options = read["DATABASES"]["default"]["OPTIONS"]
    assert (options["tcp_user_timeout"], options["sslmode"], options["keepalives_idle"]) == (
        90000,
        "require",
        2,
    )


@pytest.mark.parametrize("error", [None, PermissionError(13, "Permission denied")])
def test_a_file_that_cannot_be_read_ends_everything_with_the_fix(monkeypatch, tmp_path, error):
    file = tmp_path / ".env"
    file.write_bytes("DEFAULT_FROM_EMAIL=Café <a@b.example>".encode("latin-1"))
    if error:
        monkeypatch.setattr(Path, "read_text", Mock(side_effect=error))
    with pytest.raises(SystemExit, match="Save it as UTF-8, and give it to the user"):
        Environment(str(file))


@pytest.mark.parametrize(
    ("mode", "local", "public"),
    [(0o600, [], []), (0o640, [], []), (0o644, [], ["portal.E039"])],
)
def test_a_file_of_keys_that_others_may_read_is_refused_in_production(
    monkeypatch, settings, tmp_path, mode, local, public
):
    file = tmp_path / ".env"
    file.write_text("")
    file.chmod(mode)
    for variables, expected in (({}, local), (HTTPS, public)):
        found = answers(monkeypatch, settings, PORTAL_ENV_FILE=str(file), **variables)
        assert [message.id for message in found] == expected


def test_every_variable_has_a_check_of_its_own_that_the_table_shows():
    numbers = [number for number in env.checks.values() if number]
    assert len(set(numbers)) == len(numbers)
    assert {f"portal.{number}" for number in numbers} <= {expected for expected, _ in ANSWERS}
    unchecked = {name for name, number in env.checks.items() if not number}
    assert unchecked == {"FIELD_ENCRYPTION_KEYS", "LEVER_CLIENT_ID", "LEVER_CLIENT_SECRET"}, (
        "integrations.checks"
    )


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
    read = settings_read(monkeypatch, PORTAL_URL=url, TRUSTED_PROXIES=proxies)
    assert bool(read["SECURE_PROXY_SSL_HEADER"]) is is_believed


def test_the_provider_of_single_sign_on_is_read_with_its_special_characters(monkeypatch):
    read = settings_read(monkeypatch, OIDC_URL="https://por%40tal:s%2Fecret@id.example/tenant/")
    [app] = read["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]
    assert (app["client_id"], app["secret"]) == ("por@tal", "s/ecret")
    assert app["settings"] == {"server_url": "https://id.example/tenant"}
