"""Superusers see the queue and what runs by the clock, and change nothing; django-q2's tables have no pages."""

from unittest import mock

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from redis import RedisError

from integrations.queue import notify
from integrations.queue.models.nodes import Heartbeat, PortalDuty
from tests.admin.conftest import Customer, sign_in

LISTING = "admin:integrations_portalduty_changelist"


@pytest.fixture
def duty(db) -> PortalDuty:
    return PortalDuty.objects.create(
        name=PortalDuty.Name.CLEAN_UP, last_error="The portal failed on this: E."
    )


@pytest.fixture
def superuser(acme: Customer) -> Client:
    return sign_in(None, is_superuser=True)


def test_a_superuser_sees_when_each_ran_and_how_it_ended(superuser: Client, duty: PortalDuty) -> None:
    assert reverse(LISTING) in superuser.get(reverse("admin:index")).content.decode()
    assert duty.last_error in superuser.get(reverse(LISTING)).content.decode()
    page = superuser.get(reverse("admin:integrations_portalduty_change", args=[duty.pk])).content.decode()
    assert duty.last_error in page
    assert "_save" not in page


def test_a_superuser_changes_nothing(superuser: Client, duty: PortalDuty) -> None:
    before = list(PortalDuty.objects.values())
    for page in ("change", "delete"):
        address = reverse(f"admin:integrations_portalduty_{page}", args=[duty.pk])
        assert superuser.post(address, {"post": "yes", "_save": "1"}).status_code == 403
    assert superuser.post(reverse("admin:integrations_portalduty_add"), {}).status_code == 403
    assert list(PortalDuty.objects.values()) == before


def test_others_see_nothing(acme: Customer, duty: PortalDuty) -> None:
    client = sign_in("super_admin", acme)
    assert client.get(reverse(LISTING)).status_code == 403
    assert reverse(LISTING) not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("model", ["schedule", "failure", "success", "ormq"])
def test_the_queues_tables_have_no_pages(superuser: Client, model: str) -> None:
    for address in ("", "add/", "1/change/"):
        assert superuser.get(f"/admin/django_q/{model}/{address}").status_code == 404


def test_a_superuser_sees_what_waits_in_the_queue_and_which_workers_live(
    superuser: Client, monkeypatch
) -> None:
    monkeypatch.setattr(Conf, "ORM", "default")
    notify.broker.cache_clear()
    Heartbeat.beat()
    OrmQ.objects.create(key=Conf.CLUSTER_NAME, payload="x", lock=timezone.now())
    page = superuser.get(reverse("admin:integrations_heartbeat_changelist")).content.decode()
    assert "ORM default: tasks that wait: 1" in page
    assert settings.NODE in page
    notify.broker.cache_clear()


def test_a_queue_that_does_not_answer_is_said_to(superuser: Client, monkeypatch) -> None:
    monkeypatch.setattr(notify, "broker", mock.Mock(side_effect=RedisError))
    page = superuser.get(reverse("admin:integrations_heartbeat_changelist")).content.decode()
    assert "no answer" in page
