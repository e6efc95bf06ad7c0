"""Reads environment variables. A malformed one is noted with its fix, and its default is used."""

import os
import re
from collections.abc import Collection
from email.utils import parseaddr
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import environ

from portal.database_settings import can_be_right

TRUE = frozenset({"true", "on", "yes", "y", "1"})
FALSE = frozenset({"false", "off", "no", "n", "0", ""})
POSTGRESQL = frozenset({"postgresql", "postgres", "psql", "pgsql"})
SHORTEST_SECRET_KEY, SHORTEST_TOKEN = 32, 16
LEAST_DIFFERENT = 5  # characters of a random text, as Django asks
IN_MEMORY = ":memory:"
NOT_DELIVERING = ("console", "filebased", "locmem", "dummy")
_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_UNREADABLE = (environ.ImproperlyConfigured, ValueError, KeyError, IndexError, TypeError, AttributeError)


class Wrong(NamedTuple):
    """A missing or malformed variable: the number of its check, its name, and what is wrong."""

    check: str
    name: str
    message: str


class Environment:
    """The environment and a `.env` file. `errors` has what is missing or malformed, `unsafe` what only a test may use.

    Each method declares a variable by reading it: `checks` has the number of its check, `defaults` what it is if unset.
    """

    def __init__(self, path: str) -> None:
        """Read the file, if there is one. Exits with the fix where it can't be read."""
        self._env = environ.Env()
        self._file = Path(path)
        try:
            if self._file.is_file():
                self._file.read_text("utf-8")  # the library ignores a file that it can't read
            environ.Env.read_env(path)
        except (OSError, UnicodeDecodeError) as error:
            raise SystemExit(
                f"{path} can't be read: {error}. Save it as UTF-8, and give it to the user that runs the portal."
            ) from error
        self.checks: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        self.errors: list[Wrong] = []
        self.unsafe: list[Wrong] = []

    def file_mode(self) -> int:
        """Return the mode bits by which others may use the `.env` file, which holds the keys; 0 without a file."""
        return self._file.stat().st_mode & 0o077 if self._file.is_file() else 0

    def text(self, name: str, check: str = "", default: object = "") -> str:
        """Return a text without surrounding spaces, empty if unset. What then holds is kept as the `default`."""
        self.checks[name], self.defaults[name] = check, str(default)
        # as it stands: the library takes a text that begins with $ for the name of another variable
        return os.environ.get(name, "").strip()

    def texts(self, name: str, check: str = "") -> list[str]:
        """Return the parts of a comma-separated text."""
        return [part.strip() for part in self.text(name, check).split(",") if part.strip()]

    def flag(self, name: str, check: str) -> bool:
        """Return a yes or no; no when it is unset."""
        value = self.text(name, check, default=False).lower()
        if value not in TRUE | FALSE:
            self.refuse(name, "must be True or False")
        return value in TRUE

    def integer(self, name: str, check: str, default: int, *, least: int = 1, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.text(name, check, default)
        try:
            number = int(value) if value else default
        except ValueError:
            number = least - 1
        if least <= number <= most:
            return number
        self.refuse(name, f"must be a whole number from {least} to {most}")
        return default

    def choice(self, name: str, check: str, default: str, choices: Collection[str]) -> str:
        """Return one of the choices, whatever the case it is written in."""
        value = self.text(name, check, default) or default
        for choice in choices:
            if choice.casefold() == value.casefold():
                return choice
        self.refuse(name, f"must be one of {', '.join(choices)}")
        return default

    def address(self, name: str, check: str, default: str) -> str:
        """Return a full HTTP address without a slash at its end, and without credentials, query or fragment."""
        value = (self.text(name, check, default) or default).rstrip("/")
        must = f"must be a full address such as {default}, without a user name or password"
        return self._checked(name, value, _is_address(_split(value)), must, default)

    def origin(self, name: str, check: str, default: str) -> str:
        """Return an HTTP address of scheme, host and port alone: the portal's pages are at the top of its host."""
        value = self.address(name, check, default)
        must = f"must be an address without a path, such as {default}"
        return self._checked(name, value, not urlsplit(value).path, must, default)

    def hosts(self, name: str, check: str) -> list[str]:
        """Return host names, without scheme, port or path. Any name would let a stranger word the portal's links."""
        hosts = self.texts(name, check)
        must = "must be host names alone, such as portal.example.com, separated by commas"
        if "*" in hosts:
            self.unsafe.append(self._wrong(name, f"{must}, without *"))
        is_host = [host == "*" or _HOST.fullmatch(host) is not None for host in hosts]
        if not all(is_host):
            self.refuse(name, must)
        return list(compress(hosts, is_host))

    def secret_key(self, name: str, check: str, stand_in: str) -> str:
        """Return a long random text. Without one, return `stand_in`, so that the checks can run and tell."""
        value = self.text(name, check)
        if not value:
            message = f"{name} is not set. Set it to a long random text and keep it."
            self.errors.append(Wrong(check, name, message))
        elif len(value) < SHORTEST_SECRET_KEY:
            self.refuse(name, f"must be a random text of at least {SHORTEST_SECRET_KEY} characters")
        elif not _is_random(value):
            self.unsafe.append(self._wrong(name, "must be a random text"))
        return value or stand_in

    def token(self, name: str, check: str) -> str:
        """Return a text that nobody should be able to guess, empty if it is unset."""
        value = self.text(name, check)
        if value and not (_is_random(value) and len(value) >= SHORTEST_TOKEN):
            must = f"must be a random text of at least {SHORTEST_TOKEN} characters"
            self.unsafe.append(self._wrong(name, must))
        return value

    def database(self, name: str, check: str, default: str, folder: Path) -> dict[str, Any]:
        """Return Django's settings of a SQLite or PostgreSQL database. A relative SQLite file is in the folder."""
        self.text(name, check, default)
        value = os.environ.get(name, default).strip()  # an empty one is wrong
        parts = _split(value)
        scheme = parts.scheme if parts else ""
        is_named = bool(parts and parts.path.strip("/"))
        if scheme in POSTGRESQL | {"sqlite"} and is_named:
            try:
                settings = dict(self._env.db_url_config(value))
            except _UNREADABLE:
                settings = {}
            if settings and scheme == "sqlite" and settings["NAME"] != IN_MEMORY:
                # a relative path must mean the same file wherever the command is started
                settings["NAME"] = str(folder / settings["NAME"])
            if settings and can_be_right(settings):
                return settings
        self.refuse(
            name,
            "must be sqlite:////FOLDER/FILE, with four slashes and a folder that exists, or "
            "postgresql://USER:PASSWORD@HOST:5432/NAME?OPTION=VALUE, with options that PostgreSQL's client knows",
        )
        return dict(self._env.db_url_config(default))

    def redis(self, name: str, check: str) -> str:
        """Return the address of a Redis server, empty if it is unset."""
        value = self.text(name, check)
        parts = _split(value)
        is_server = (
            parts is not None
            and parts.scheme in {"redis", "rediss"}
            and bool(parts.hostname)
            and re.fullmatch(r"/?\d*", parts.path) is not None
        )
        if value and not (is_server or re.match("unix://([^/]*@)?/", value)):
            self.refuse(name, "must be redis://HOST:6379/0, rediss:// or unix://")
            return ""
        return value

    def email(self, name: str, check: str, default: str) -> dict[str, Any]:
        """Return Django's settings of outgoing mail."""
        try:
            settings = dict(self._env.email_url_config(self.text(name, check, default) or default))
        except _UNREADABLE:
            settings = {}
        if settings and (settings["EMAIL_HOST"] or "smtp" not in settings["EMAIL_BACKEND"]):
            return settings
        self.refuse(name, "must be smtp://USER:PASSWORD@HOST:25, smtp+tls://… or consolemail://")
        return dict(self._env.email_url_config(default))

    def sender(self, name: str, check: str, default: str) -> str:
        """Return the address that e-mails are sent from, with or without a name."""
        value = self.text(name, check, default) or default
        must = "must be an e-mail address, such as Portal <portal@example.com>"
        return self._checked(name, value, "@" in parseaddr(value)[1], must, default)

    def sentry(self, name: str, check: str) -> str:
        """Return Sentry's DSN, empty if it is unset."""
        value = self.text(name, check)
        parts = _split(value)
        is_dsn = (
            parts is not None
            and parts.scheme in {"http", "https"}
            and bool(parts.username and parts.hostname)
            and parts.path.rpartition("/")[2].isdigit()
        )
        must = "must be the DSN that Sentry shows: https://KEY@HOST/NUMBER"
        return self._checked(name, value, is_dsn or not value, must)

    def single_sign_on(self, name: str, check: str) -> list[dict[str, Any]]:
        """Return django-allauth's description of the installation's provider of single sign-on; none if it is unset."""
        value = self.text(name, check)
        parts = _split(value)
        if (
            not parts
            or not (parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1"})
            or not (parts.hostname and parts.username and parts.password)
            or parts.query
            or parts.fragment
        ):
            if value:
                self.refuse(
                    name, "must be https://CLIENT_ID:CLIENT_SECRET@ISSUER, with special characters as %XX"
                )
            return []
        issuer = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return [
            {
                "provider_id": "sso",
                "name": "single sign-on",
                "client_id": unquote(parts.username),
                "secret": unquote(parts.password),
                "settings": {"server_url": issuer.rstrip("/")},
            }
        ]

    def _checked(self, name: str, value: str, is_right: bool, must: str, default: str = "") -> str:
        """Return the value if it is right, else note what it must be and return the default."""
        if is_right:
            return value
        self.refuse(name, must)
        return default

    def refuse(self, name: str, must: str) -> None:
        """Note a malformed variable."""
        self.errors.append(self._wrong(name, must))

    def _wrong(self, name: str, must: str) -> Wrong:
        """Return what is wrong. The value isn't repeated: it may hold a password."""
        return Wrong(self.checks[name], name, f"{name} is malformed: it {must}.")


def is_delivering(email_backend: str) -> bool:
    """Whether Django's e-mail backend of that dotted name sends e-mails to their recipients."""
    return not any(f".{name}." in email_backend for name in NOT_DELIVERING)


def _is_random(value: str) -> bool:
    """Whether a text may be one that nobody can guess."""
    return len(set(value)) >= LEAST_DIFFERENT and not value.startswith("django-insecure-")


def _is_address(parts: SplitResult | None) -> bool:
    """Whether it is an HTTP address without credentials, query or fragment."""
    return (
        parts is not None
        and parts.scheme in {"http", "https"}
        and _is_host(parts.hostname)
        and not (parts.query or parts.fragment or "@" in parts.netloc)
    )


def _is_host(host: str | None) -> bool:
    """Whether the host of an address is a name or an IP address, as a `Host` header has it."""
    return bool(host) and (":" in str(host) or _HOST.fullmatch(str(host)) is not None)


def _split(value: str) -> SplitResult | None:
    """Return the parts of a URL, None when they can't be told apart."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts
