"""An answer that differs from the documented shape is recorded, and used all the same."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from integrations.clients import hooks, provider
from integrations.clients.models import ShapeDeviation
from integrations.http.shapes import Deviation, Kind
from tests.clients.conftest import API, AUTH, FRESH, let_token_expire_soon
from tests.support import factories
from tests.support.calls import count_calls

URL = "https://codescreen.example/api"
DEVIATION = Deviation("id", "a text", Kind.NULL, False, {"id": "null"})


@pytest.fixture
def codescreen(settings, organization, wire):
    """A client whose CodeScreen states a score as text."""
    settings.CODESCREEN_API_URL = URL
    factories.CodeScreenConnectionFactory(organization=organization)
    wire.get(f"{URL}/assessments/i1", json={"status": "Complete", "score": "75", "metadata": {}})
    return provider.codescreen_client(organization)


def test_a_deviation_is_recorded_once_and_the_answer_is_used(codescreen, organization):
    assert codescreen.status("i1").score == 75
    codescreen.status("i1")
    row = ShapeDeviation.objects.get()
    assert (row.organization, row.platform, row.endpoint) == (
        organization,
        "codescreen",
        "GET /assessments/:id",
    )
    assert (row.field, row.found, row.expected) == ("score", "a number in a text", "a whole number")
    assert (row.is_readable, row.count) == (True, 1)
    assert row.example["status"] == "a text"
    assert count_calls() == 2


def test_a_deviation_is_counted_at_most_once_a_minute(codescreen):
    codescreen.status("i1")
    ShapeDeviation.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    for _ in range(3):
        codescreen.status("i1")
    row = ShapeDeviation.objects.get()
    assert row.count == 2
    assert row.first_seen_at <= row.last_seen_at


def test_an_answer_is_used_when_its_deviation_cannot_be_recorded(codescreen, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("the database is restarting")

    monkeypatch.setattr(ShapeDeviation.objects, "bulk_create", fail)
    assert codescreen.status("i1").score == 75
    assert not ShapeDeviation.objects.exists()


def test_answers_and_tokens_of_lever_are_compared_too(lever_api, grant):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH | {"expires_in": "3600"})
    lever_api.get(
        f"{API}/stages", json={"data": [{"id": "s1", "text": "CodeScreen"}, {"id": 5, "text": "Offer"}]}
    )
    assert [stage.id for stage in provider.lever_client(grant.organization).stages()] == ["s1"]
    rows = ShapeDeviation.objects.order_by("endpoint").values_list("platform", "endpoint", "field")
    assert list(rows) == [("lever", "GET /stages", "data[].id"), ("lever", "POST /oauth/token", "expires_in")]


def test_deviations_of_long_ago_are_removed(organization):
    for days in (1, 89, 91):
        hooks.record_deviations(organization, "lever", f"GET /{days}", [DEVIATION])
        rows = ShapeDeviation.objects.filter(endpoint=f"GET /{days}")
        rows.update(last_seen_at=timezone.now() - timedelta(days=days))
    ShapeDeviation.purge_old()
    assert set(ShapeDeviation.objects.values_list("endpoint", flat=True)) == {"GET /1", "GET /89"}
