"""Read the body of a webhook, up to a maximal size."""

from django.http import HttpRequest, UnreadablePostError
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType

MAX_BYTES = 256 * 1024
DISCARD_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
UTF8_NAMES = frozenset({"utf-8", "utf8"})


class TooLarge(APIException):
    """The body is over MAX_BYTES."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than 256 KiB."


def read_body(request: HttpRequest) -> bytes:
    """Return the raw body. Raises TooLarge, then UnsupportedMediaType, and ParseError when it is incomplete."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        if length > MAX_BYTES:
            _discard(request, length)
            raise TooLarge
        body = request.body
    except UnreadablePostError as error:
        raise ParseError("The body broke off.") from error
    media_type = (request.content_type or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(media_type or "nothing")
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip(" '").lower() not in UTF8_NAMES:
        raise UnsupportedMediaType(f"{media_type}; charset={charset}")
    return body


def _discard(request: HttpRequest, length: int) -> None:
    """Read and drop a large body: else the sender would see a broken connection instead of the answer."""
    left = min(length, DISCARD_BYTES)
    while left > 0 and (chunk := request.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
