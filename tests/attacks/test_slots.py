"""Costly work is refused at once while its slots are taken; webhooks, and all other pages, are answered meanwhile."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from integrations.audit.models.entry import AuditAction
from integrations.core import slots
from integrations.core.slots import Work
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import sign
from portal.accounts.backend import BoundedPasswordHasher
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory, recorded
from tests.support.payloads import load

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}


@pytest.fixture
def take(organization) -> Iterator[Callable[[Work], None]]:
    """Have other requests take all slots for a kind of work that this organization can have."""
    over, threads = threading.Event(), []

    def all_of(work: Work) -> None:
        for _ in range(work.of_one):
            begun = threading.Event()
            threads.append(threading.Thread(target=_hold, args=[work, organization.pk, begun, over]))
            threads[-1].start()
            begun.wait(30)

    yield all_of
    over.set()
    for thread in threads:
        thread.join()


def _hold(work: Work, organization_id: int, begun: threading.Event, over: threading.Event) -> None:
    slots.begin_request()
    slots.hold(work, 0 if work is Work.PASSWORD else organization_id)
    begun.set()
    over.wait(60)
    slots.end_request()


def assert_a_webhook_is_accepted(organization) -> None:
    if not LeverWebhook.objects.filter(organization=organization).exists():
        LeverWebhookFactory.create(organization=organization)
    payload = load("lever/candidate_stage_change", id=str(uuid.uuid4()), triggeredAt=int(time.time() * 1000))
    payload |= {"signature": sign(str(payload["token"]), payload["triggeredAt"], SIGNATURE_TOKEN)}
    address = reverse("lever-webhook", args=[organization.webhook_key])
    assert Client().post(address, json.dumps(payload), "application/json").status_code == 202


def assert_is_refused(answer, organization) -> None:
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert_a_webhook_is_accepted(organization)


@pytest.mark.parametrize("is_known", [True, False])
def test_signing_in_while_others_passwords_are_hashed_says_nothing_of_the_name(
    take, organization, super_admin, settings, monkeypatch, is_known
):
    settings.PASSWORD_HASHERS = ["portal.accounts.backend.BoundedPasswordHasher"]
    monkeypatch.setattr(BoundedPasswordHasher, "iterations", 1)
    super_admin.password = make_password("a long enough password")
    super_admin.save()
    take(Work.PASSWORD)
    name = super_admin.username if is_known else "nobody"
    form = {"username": name, "login": name, "password": "a long enough password"}
    answer = Client().post(reverse(settings.LOGIN_URL), form, headers=HTML)
    assert_is_refused(answer, organization)
    assert "Go back, and try again" in answer.content.decode()
    assert "_auth_user_id" not in answer.client.session


def test_an_export_while_another_one_is_written_or_sent(take, organization, super_admin_client):
    take(Work.EXPORT)
    answer = super_admin_client.get("/candidates/export/", headers=HTML)
    assert_is_refused(answer, organization)
    assert answer["Refresh"] == "3"
    assert not recorded().filter(action=AuditAction.EXPORT_LIST).exists()
    assert super_admin_client.get("/activity/").status_code == 200


def test_an_export_holds_its_slot_until_it_was_sent(organization, super_admin_client):
    answer = super_admin_client.get("/candidates/export/")
    with ThreadPoolExecutor(1) as other_request:
        assert not other_request.submit(_gets_a_slot, organization.pk).result()
        answer.getvalue()
        assert other_request.submit(_gets_a_slot, organization.pk).result()


def _gets_a_slot(organization_id: int) -> bool:
    slots.begin_request()
    try:
        slots.hold(Work.EXPORT, organization_id)
    except slots.Busy:
        return False
    finally:
        slots.end_request()
    return True


def test_asking_a_platform_while_others_wait_for_it(take, scenario, organization, super_admin_client):
    take(Work.PLATFORM)
    answer = super_admin_client.get("/settings/rules/?author")
    assert_is_refused(answer, organization)
    assert answer.json()["detail"].startswith("The portal is busy")
