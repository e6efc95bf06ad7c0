"""What the WSGI entry point makes of requests that Django can't read itself."""

from io import BytesIO
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse

from portal import wsgi


@pytest.fixture
def ask(monkeypatch):
    """Send a request to a pretended Django, which answers with the request that it made of it."""

    def send(body: bytes = b"", **environ: object) -> WSGIRequest:
        asked: list[WSGIRequest] = []

        def django(environ: dict[str, Any], start_response: object) -> HttpResponse:
            asked.append(WSGIRequest(environ))
            return HttpResponse()

        monkeypatch.setattr(wsgi, "_django", django)
        given = {"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body), **environ}
        wsgi.application(given, mock.Mock())
        return asked[0]

    return send


def test_a_body_in_chunks_is_read(ask):
    request = ask(b"abcd", HTTP_TRANSFER_ENCODING="chunked")
    assert (request.META["CONTENT_LENGTH"], request.body) == ("4", b"abcd")


def test_of_a_body_in_chunks_that_is_too_large_no_more_is_read_than_shows_it(ask):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert ask(b"x" * 2 * limit, HTTP_TRANSFER_ENCODING="chunked").META["CONTENT_LENGTH"] == str(limit + 1)


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        ("application/json; charset=none-such", "application/json"),
        ("application/json; charset*=bogus''x", ""),
        ("application/json; charset*=utf-8''%00", ""),
        ("application/json;" + " " * 11_000, ""),
    ],
)
def test_a_content_type_that_django_cannot_parse_counts_as_none(ask, sent, content_type):
    assert ask(CONTENT_TYPE=sent).content_type == content_type
