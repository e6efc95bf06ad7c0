"""The portal's addresses, and the baseline: a view that stores one row and does nothing else."""

import uuid
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from integrations.models import Delivery, Organization
from portal.devtools.benchmarks.endpoint import BASELINE_PATH
from portal.urls import urlpatterns as portal_urls


@csrf_exempt
@login_not_required
def insert_only(request: HttpRequest) -> HttpResponse:
    """Insert a row as the webhook endpoint does, without signature, parsing, checks or notification."""
    Delivery.objects.create(
        organization_id=_organization_id(),
        platform=Delivery.Platform.LEVER,
        event="plain",
        dedupe_key=f"plain:{uuid.uuid4()}",
        payload={"body": request.body.decode()},
        due_at=None,
    )
    return JsonResponse({}, status=202)


@cache
def _organization_id() -> int:
    return Organization.objects.values_list("pk", flat=True)[0]


urlpatterns = [*portal_urls, path(BASELINE_PATH.lstrip("/"), insert_only)]
