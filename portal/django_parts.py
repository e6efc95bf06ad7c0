"""What stands in the place of parts of Django: e-mail without a server, waiting messages, files of a form."""

from collections.abc import Sequence
from typing import Never

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# The e-mail backend of a public portal that has no mail server.


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


# No page of the portal takes files.


class DroppingUploadHandler(FileUploadHandler):
    """Drops the files of a form; Django would write them to the temporary folder, before it asks who sent them."""

    def new_file(self, *args: object, **kwargs: object) -> Never:
        """Raise SkipFile, by which Django reads past the file."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Return nothing; never called."""

    def file_complete(self, file_size: int) -> None:
        """Return nothing: there is no file."""
