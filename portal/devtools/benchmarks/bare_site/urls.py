"""One view that inserts one row."""

import json
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from portal.devtools.benchmarks.bare_site.models import Row


def insert(request: HttpRequest) -> HttpResponse:
    """Store the body under a new key; answer 202."""
    Row.objects.create(key=uuid.uuid4().hex, body=json.loads(request.body))
    # with its length, by which every server keeps the connection open
    return JsonResponse({}, status=202, headers={"Content-Length": "2"})


urlpatterns = [path("insert/", insert)]
