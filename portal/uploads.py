"""No page of the portal takes files, and no request may be larger than its forms need."""

from collections.abc import Callable
from typing import Never

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import get_template

from portal.unstorable_text import has_unstorable_text


class DroppingUploadHandler(FileUploadHandler):
    """Drops the files of a form; Django would write them to the temporary folder, before it asks who sent them."""

    def new_file(self, *args: object, **kwargs: object) -> Never:
        """Raise SkipFile, by which Django reads past the file."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Return nothing; never called."""

    def file_complete(self, file_size: int) -> None:
        """Return nothing: there is no file."""


class FormMiddleware:
    """Answers 413 to a body that is larger than any form of the portal, without reading it; reads forms that aren't.

    What can't be read, or holds text that can't be stored, is answered 400.

    The webhook endpoints have their own limit, and check it in the order that their senders rely on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on what is small enough, and webhooks."""
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if request.path_info.startswith("/webhooks/"):
            return self.get_response(request)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return HttpResponse(get_template("413.html").render(), status=413)
        try:
            # read here, a malformed form is answered 400 by every page
            is_readable = not has_unstorable_text(request)
        except UnreadablePostError:
            is_readable = False
        if not is_readable:
            return HttpResponse(get_template("400.html").render(), status=400)
        return self.get_response(request)
