"""Two views that store the body of a webhook and answer 202."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.devtools.benchmarks.bare_site.models import Row

#: By its length every server keeps the connection open.
LENGTH = {"Content-Length": "2"}


def insert(request: HttpRequest) -> HttpResponse:
    """Store the body by Django alone."""
    Row.store(json.loads(request.body))
    return JsonResponse({}, status=202, headers=LENGTH)


class InsertView(APIView):
    """Stores the body by Django REST framework."""

    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    authentication_classes = []
    permission_classes = []

    def post(self, request: Request) -> Response:
        """Store the body."""
        Row.store(request.data)
        return Response({}, status=202, headers=LENGTH)


urlpatterns = [path("insert/", insert), path("rest/", InsertView.as_view())]
