"""The page that Prometheus reads."""

import hmac
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest

from integrations.health.room import require_room
from integrations.store.database import DATABASE_OUTAGE
from portal.metrics.current import Current
from portal.metrics.node import register_node


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics; 404 where no token is set, 401 to a request without it."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    of_database = CollectorRegistry()
    of_node = CollectorRegistry()
    of_database.register(Current())
    text, is_well = b"", False
    with suppress(*DATABASE_OUTAGE):  # a node still tells of itself
        text = generate_latest(of_database)
        require_room()
        is_well = True
    register_node(of_node, is_database_well=is_well)
    text += generate_latest(of_node)
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
