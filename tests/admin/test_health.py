"""Superusers see what runs by the clock, and change nothing; django-q2's tables have no pages."""

import pytest
from django.test import Client
from django.urls import reverse

from integrations.queue.models.nodes import PortalDuty
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
