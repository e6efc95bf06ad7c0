"""What stands in the place of parts of Django: e-mail, waiting messages, style sheets, the cache."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Never

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.core.cache.backends.redis import RedisCache
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from redis import RedisError
from whitenoise.storage import CompressedManifestStaticFilesStorage


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


# What Django's cache stores in Redis: JSON alone. Django's own serializer reads pickles, which run.


logger = logging.getLogger(__name__)


class ForgetfulRedisCache(RedisCache):
    """Django's cache in Redis, empty while Redis is away: django-allauth's limits count in it, and people sign in."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        with suppress(RedisError):
            return bool(super().add(*args, **kwargs))
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        with suppress(RedisError):
            return super().get(key, default, version)
        return default

    def set(self, *args: Any, **kwargs: Any) -> None:
        with suppress(RedisError):
            super().set(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        with suppress(RedisError):
            return bool(super().delete(*args, **kwargs))
        return False


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
