"""A Django project in one module, whose one view takes as long to answer as the query says, for test_web_server.py."""

import time

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

SECRET_KEY = "only for a test"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS: list[str] = []
ROOT_URLCONF = __name__
WEB_WORKERS = 2
WEB_THREADS = 4
METRICS_TOKEN = ""
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {}}


def wait(request: HttpRequest) -> HttpResponse:
    """Answer after the seconds in the query, with the size of the request's body."""
    time.sleep(float(request.META["QUERY_STRING"] or 0))
    answer = HttpResponse(f"done {len(request.body)}")
    answer["Content-Length"] = len(answer.content)
    return answer


urlpatterns = [re_path("", wait)]
