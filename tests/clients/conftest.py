"""Lever's servers faked at HTTP, and a grant."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import limits
from integrations.lever.models.connection import LeverConnection
from tests.support import factories

AUTH = "https://auth.lever.example"
API = "https://api.lever.example/v1"
FRESH = {
    "access_token": "access-2",
    "refresh_token": "refresh-2",
    "expires_in": 3600,
    "scope": "offline_access",
}


@pytest.fixture(autouse=True)
def _redis_is_asked(monkeypatch):
    """Ask Redis for slots at the address in the settings, although another test had it away."""
    monkeypatch.setattr(limits, "_redis_again_at", 0.0)
    limits._reserve_in_redis.cache_clear()


@pytest.fixture
def lever_api(settings, wire):
    """Both of Lever's servers, faked at HTTP."""
    settings.LEVER_AUTH_URL, settings.LEVER_API_URL = AUTH, API
    return wire


@pytest.fixture
def grant(organization, super_admin):
    """A working Lever grant of the organization, for an account whose calls Redis hasn't counted in another test."""
    return factories.LeverConnectionFactory(organization=organization, lever_account_id=str(uuid.uuid4()))


@pytest.fixture
def by_key(organization, super_admin):
    """A connection by API key, which works."""
    return factories.by_key(organization)


def let_token_expire_soon(grant):
    """Let the access token expire in thirty seconds."""
    LeverConnection.objects.filter(pk=grant.pk).update(
        access_expires_at=timezone.now() + timedelta(seconds=30)
    )
    grant.refresh_from_db()


def requests_to(lever_api, path):
    """Return the requests that were made to a path."""
    return [call.request for call in lever_api.calls if call.request.url.split("?")[0].endswith(path)]
