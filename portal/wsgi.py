"""The WSGI entry point, which any WSGI server can serve; `serve` has gunicorn do it (web_server.py)."""

import codecs
import gc
import os
from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from portal.checks import require_mail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()
require_mail()
# loaded before the web server forks, so that a worker which replaces a killed one answers at once
import_module(settings.ROOT_URLCONF)
# what is loaded stays: to look through it for garbage would take each worker 70 ms at a time, and a copy of it
gc.collect()
gc.freeze()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Have Django answer, also where it couldn't read the request: a body in chunks, or a malformed content type."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        # Django reads as much as `Content-Length` says; of what is too large its size is enough
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    try:
        _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        pass  # Django goes by UTF-8
    except ValueError:  # Django would raise it while nothing can answer yet
        environ["CONTENT_TYPE"] = ""
    return _django(environ, start_response)
