"""Costly work is refused at once while its slots are taken; webhooks, and all other pages, are answered meanwhile."""

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from integrations.audit.models.entry import AuditAction
from integrations.core.slots import Busy, Work
from portal.accounts.backend import BoundedPasswordHasher
from tests.core.test_slots import other_request
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory, recorded
from tests.support.payloads import post_stage_change

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}


def assert_is_refused(answer, organization) -> None:
    """The request is to come again, and a webhook is accepted meanwhile."""
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    LeverWebhookFactory.create(organization=organization)
    webhook = post_stage_change(Client(), organization.lever_webhook_url, SIGNATURE_TOKEN)
    assert webhook.status_code == 202


@pytest.mark.parametrize("is_known", [True, False])
def test_signing_in_while_others_passwords_are_hashed_says_nothing_of_the_name(
    organization, super_admin, settings, monkeypatch, is_known
):
    settings.PASSWORD_HASHERS = ["portal.accounts.backend.BoundedPasswordHasher"]
    monkeypatch.setattr(BoundedPasswordHasher, "iterations", 1)
    super_admin.password = make_password("a long enough password")
    super_admin.save()
    name = super_admin.username if is_known else "nobody"
    with other_request(Work.PASSWORD):
        form = {"login": name, "password": "a long enough password"}
        answer = Client().post(reverse(settings.LOGIN_URL), form, headers=HTML)
        assert_is_refused(answer, organization)
    assert "Go back, and try again" in answer.content.decode()
    assert "_auth_user_id" not in answer.client.session


def test_an_export_while_another_one_is_written_or_sent(organization, super_admin_client):
    with other_request(Work.EXPORT, organization.pk):
        answer = super_admin_client.get("/candidates/export/", headers=HTML)
        assert_is_refused(answer, organization)
        assert super_admin_client.get("/activity/").status_code == 200
    assert answer["Refresh"] == "3"
    assert not recorded().filter(action=AuditAction.EXPORT_LIST).exists()


def test_an_export_holds_its_slot_until_it_was_sent(organization, super_admin_client):
    answer = super_admin_client.get("/candidates/export/")
    with pytest.raises(Busy), other_request(Work.EXPORT, organization.pk):
        pass
    answer.getvalue()
    with other_request(Work.EXPORT, organization.pk):
        pass


def test_asking_a_platform_while_others_wait_for_it(scenario, organization, super_admin_client):
    with other_request(Work.PLATFORM, organization.pk):
        answer = super_admin_client.get("/settings/rules/?author")
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("The portal is busy")
