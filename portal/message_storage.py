"""Where a message waits for the next page: a cookie for this host alone, or the session when it is too long."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Django's storage in a cookie, which no other host of the domain can set where the portal has HTTPS."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        """The name of the cookie, with the prefix that browsers enforce."""
        return "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"


class MessageStorage(FallbackStorage):
    """Django's fallback storage, with that cookie."""

    storage_classes = (HostCookieStorage, SessionStorage)
