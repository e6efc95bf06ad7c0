"""The same answer to a later poll or sweep is counted on the call that is stored already."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients.models import LOOKED_THROUGH, ApiCall
from tests.support import factories


def make_call(organization, *, ago=timedelta(0), **changes):
    """Return an unstored call."""
    values = {
        "organization": organization,
        "opportunity_id": "someone",
        "platform": "codescreen",
        "path": "/assessments/instance/status",
        "status": 200,
        "response_body": '{"status": "Not_Started"}',
        "at": timezone.now() - ago,
    }
    return factories.ApiCallFactory.build(**values | changes)


@pytest.fixture
def stored(organization):
    """An earlier call."""
    call = make_call(organization, ago=timedelta(hours=1))
    call.save()
    return call


def test_the_same_answer_is_counted_on_the_latest_call(organization, stored):
    for _ in range(3):
        assert ApiCall.objects.count_repeat(make_call(organization))
    stored.refresh_from_db()
    assert stored.repeats == 3
    assert stored.last_at > stored.at


@pytest.mark.parametrize(
    "change",
    [
        {"response_body": '{"status": "In_Progress"}'},
        {"status": 503, "error": "codescreen answered 503"},
        {"path": "/assessments"},
        {"opportunity_id": "someone else"},
        {"platform": "lever"},
        {"method": "POST"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_call_is_not_counted(organization, stored, change):
    assert not ApiCall.objects.count_repeat(make_call(organization, **change))
    assert not ApiCall.objects.count_repeat(make_call(factories.OrganizationFactory()))


def test_an_answer_is_not_counted_when_another_came_between(organization, stored):
    make_call(organization, status=503, error="codescreen answered 503", response_body="").save()
    assert not ApiCall.objects.count_repeat(make_call(organization))


def test_a_call_for_an_effect_is_stored_each_time(organization):
    effect = factories.EffectFactory(organization=organization)
    make_call(organization, effect=effect).save()
    assert not ApiCall.objects.count_repeat(make_call(organization, effect=effect))
    assert not ApiCall.objects.count_repeat(make_call(organization))


def test_only_the_latest_calls_are_looked_through(organization, stored):
    for number in range(LOOKED_THROUGH):
        make_call(organization, path=f"/other/{number}").save()
    assert not ApiCall.objects.count_repeat(make_call(organization))
