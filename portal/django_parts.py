"""What stands in the place of parts of Django: e-mail, waiting messages, style sheets, the cache."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Never

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import JSONNull, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from whitenoise.storage import CompressedManifestStaticFilesStorage

from integrations.queue.models.nodes import CacheEntry


class RefusingEmailBackend(BaseEmailBackend):
    """Refuses every message, so that it stays due until a mail server is configured; nothing of it is printed."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> Never:
        """Raise OSError, as an unreachable mail server does."""
        raise OSError("No mail server is configured. Set EMAIL_URL.")


# Where a message waits for the next page: a cookie for this host alone, or the session when it is too long.


class HostCookieStorage(CookieStorage):
    """Django's storage in a cookie, which no other host of the domain can set where the portal has HTTPS."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        """The name of the cookie, with the prefix that browsers enforce."""
        return "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"


class MessageStorage(FallbackStorage):
    """Django's fallback storage, with that cookie."""

    storage_classes = (HostCookieStorage, SessionStorage)


# Style sheets: files by subject, which a browser gets as one.


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; where files are collected, it replaces each import of a style sheet by what is imported."""

    _IMPORT = re.compile(r'^@import url\("(css/\w+\.css)"\);$', re.MULTILINE)

    def post_process(self, paths: dict[str, Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Collect the joined sheet in the place of the one that imports."""

        def text(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read().decode())

        joined, name = InMemoryStorage(), "portal.css"
        sheet = self._IMPORT.sub(lambda found: text(found[1]), text(name))
        paths[name] = joined, joined.save(name, ContentFile(sheet.encode()))
        return super().post_process(paths, *args, **kwargs)


# What Django's cache stores: JSON alone, in Redis or the database. Django's own backends read pickles, which run.


logger = logging.getLogger(__name__)


class JsonSerializer:
    """For Django's cache in Redis."""

    def dumps(self, value: Any) -> str:
        """Return the value as JSON. Raises TypeError for what JSON doesn't know."""
        return json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Return the value; None, as if it weren't there, for what isn't JSON: the portal didn't write it."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            logger.warning("An entry of the cache isn't JSON and is ignored: the portal didn't write it")
            return None


class DatabaseJsonCache(BaseCache):
    """The cache in the database: rows of CacheEntry, by the database's clock. It has what the portal calls."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Store the value where the key has none, and return whether it was; one caller of several gets True."""
        CacheEntry.objects.filter(key=self._key(key, version), expires_at__lte=Now()).delete()
        entry = {"value": _as_json(value), "expires_at": self._expiry(timeout)}
        return CacheEntry.objects.get_or_create(key=self._key(key, version), defaults=entry)[1]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the key's value; `default` without one, and after its time."""
        entries = CacheEntry.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))
        return next(
            iter(entries.filter(key=self._key(key, version)).values_list("value", flat=True)), default
        )

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        entry = {"value": _as_json(value), "expires_at": self._expiry(timeout)}
        CacheEntry.objects.update_or_create(key=self._key(key, version), defaults=entry)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Remove the key's value; return whether there was one."""
        return bool(CacheEntry.objects.filter(key=self._key(key, version)).delete()[0])

    def _key(self, key: Any, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _expiry(self, timeout: float | None) -> Combinable | None:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else Now() + timedelta(seconds=seconds)


def _as_json(value: Any) -> Any:
    """Return the value for its column, where None is JSON's null: the database's would be no value."""
    return JSONNull() if value is None else value
