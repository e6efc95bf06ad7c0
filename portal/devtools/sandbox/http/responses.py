"""The answers both pretend platforms give."""

import json

import werkzeug


class Response(werkzeug.Response):
    """One HTTP answer; without a body it names no content type."""

    default_mimetype = None


def json_response(value: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    # A lone surrogate in a request is answered as the escape it was sent as.
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, content_type="application/json; charset=utf-8")


def html_response(text: str, status: int = 200) -> Response:
    """Return an HTML answer that browsers don't cache."""
    body = text.encode("utf-8", "replace")
    headers = {"Cache-Control": "no-store"}
    return Response(body, status, headers, content_type="text/html; charset=utf-8")


def redirect(location: str) -> Response:
    """Return a 303, the answer to a form that was handled."""
    return Response(status=303, headers={"Location": location})
