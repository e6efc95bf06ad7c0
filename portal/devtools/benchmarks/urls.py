"""The portal's addresses, and the yardstick: a view that stores one row and does nothing else."""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from integrations.models import Delivery, Organization
from portal.urls import urlpatterns as portal_urls

_organization: list[int] = []


@csrf_exempt
@login_not_required
def plain(request: HttpRequest) -> HttpResponse:
    """Insert a row as the door does, without proof, parsing, checks or a bell."""
    if not _organization:
        _organization.append(Organization.objects.values_list("pk", flat=True)[0])
    Delivery.objects.create(
        organization_id=_organization[0],
        platform=Delivery.Platform.LEVER,
        event="plain",
        dedupe_key=f"plain:{uuid.uuid4()}",
        payload={"body": request.body.decode()},
        due_at=None,
    )
    return JsonResponse({}, status=202)


urlpatterns = [*portal_urls, path("bench/plain/", plain)]
