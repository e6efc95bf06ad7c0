"""The wrong encryption key: every part of the portal says what can't be read, nothing is lost, nothing is a 500."""

import html
import io
import json

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.urls import reverse

from integrations.audit.models.entry import AuditEntry
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.doctor import findings
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.queue import duties, worker
from integrations.store.encryption import sealed
from portal import probes
from tests.store.test_encryption import put
from tests.support.factories import SIGNATURE_TOKEN, WEBHOOK_SECRET
from tests.support.payloads import post_stage_change

PAGES = (
    "overview",
    "settings",
    "mapping-list",
    "activity",
    "audit",
    "preview",
    "notification-settings",
    "account",
    "metrics",
)


@pytest.fixture
def wrong_key(settings):
    """Replace the keys by one that opens nothing; return the function that puts them back."""
    before = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    def put_back() -> None:
        settings.FIELD_ENCRYPTION_KEYS = [*settings.FIELD_ENCRYPTION_KEYS, *before]

    return put_back


def post(client, organization):
    """Post a genuine stage change."""
    return post_stage_change(client, organization.lever_webhook_url, SIGNATURE_TOKEN)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_shown_when_no_key_opens_a_secret(
    ready_organization, wrong_key, super_admin_client, name
) -> None:
    assert super_admin_client.get(reverse(name), follow=True).status_code in {200, 404}


def test_the_settings_say_what_to_enter_again(ready_organization, super_admin_client, wrong_key):
    connection = ready_organization.codescreen
    CodeScreenConnection.objects.update(**sealed(connection, webhook_secret=WEBHOOK_SECRET))
    page = super_admin_client.get(reverse("settings")).content.decode()
    assert "Can't be read" in html.unescape(page)
    assert "Key can't be read" in page
    assert "Token can't be read" in page
    assert ">Connected<" not in page
    overview = super_admin_client.get(reverse("overview")).content.decode()
    assert "encryption keys: connect Lever again" in overview
    assert "encryption keys: enter it again" in overview


def test_the_doctor_has_one_finding_with_the_fix(ready_organization, settings):
    Organization.objects.update(**sealed(ready_organization, chat_url="https://hooks.slack.com/services/T"))
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    output = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=output)
    found = {row["code"]: row for row in json.loads(output.getvalue())}
    finding = found["unreadable_secret"]
    assert finding["level"] == "error"
    assert "FIELD_ENCRYPTION_KEYS" in finding["fix"]
    assert "enters the secrets again" in finding["fix"]
    for name in ("access token", "refresh token", "signature token", "api key", "chat url"):
        assert name in finding["message"]
    contradicting = {
        "lever_not_connected",
        "lever_reconnect",
        "codescreen_not_connected",
        "no_webhook",
    }
    assert not contradicting & found.keys()


def test_a_token_that_cannot_be_read_can_be_retired_after_which_the_doctor_is_silent_about_it(
    ready_organization, super_admin_client, wrong_key
):
    LeverConnection.objects.all().delete()
    CodeScreenConnection.objects.all().delete()
    assert "unreadable_secret" in {finding.code for finding in findings(ready_organization)}
    address = reverse("token-retire", args=[LeverWebhook.objects.get().pk, "current"])
    assert super_admin_client.post(address).status_code == 302
    assert LeverWebhook.objects.get().retired_at is not None
    assert "unreadable_secret" not in {finding.code for finding in findings(ready_organization)}


def test_a_node_is_not_ready_while_its_keys_open_no_secret_but_is_when_they_open_some(
    ready_organization, wrong_key, client
):
    def ready() -> tuple[int, str]:
        probes._well_until.clear()
        answer = client.get("/healthz/ready")
        return answer.status_code, answer.json()["parts"]["secrets"]

    assert ready() == (503, "FIELD_ENCRYPTION_KEYS opens none of the 4 stored secrets that were tried")
    connection = ready_organization.codescreen
    CodeScreenConnection.objects.update(**sealed(connection, api_key="entered-again"))
    status, said = ready()
    assert (status, said.startswith("ok, but FIELD_ENCRYPTION_KEYS doesn't open 3 of 4")) == (200, True)
    wrong_key()
    assert ready() == (200, "ok")


def test_a_genuine_webhook_is_answered_503_and_taken_when_the_key_is_back(
    ready_organization, wrong_key, client
):
    """401 would tell the platform that the webhook is wrong; after 503 it tries again."""
    answer = post(client, ready_organization)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert SIGNATURE_TOKEN not in answer.content.decode()
    assert not Delivery.objects.exists()
    put(ready_organization.codescreen, "webhook_secret", "gAAAA")
    answer = client.post(ready_organization.codescreen_webhook_url, "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    wrong_key()
    assert post(client, ready_organization).status_code == 202


def test_what_arrived_waits_as_disconnected_and_is_decided_when_the_key_is_back(
    ready_organization, wrong_key, client, super_admin_client
):
    LeverWebhook.objects.update(**sealed(LeverWebhook.objects.get(), signature_token=SIGNATURE_TOKEN))
    assert post(client, ready_organization).status_code == 202
    worker.work()
    delivery = Delivery.objects.get()
    assert (delivery.verdict, delivery.opportunity_id != "") == ("disconnected", True)
    assert "can't be read" in delivery.explanation
    wrong_key()
    duties.requeue_waiting(type(ready_organization).objects.reread(ready_organization.pk))
    delivery.refresh_from_db()
    assert delivery.due_at is not None


def test_entering_the_secrets_again_makes_it_right(ready_organization, super_admin_client, wrong_key, client):
    entered = {
        "lever_signature_token": SIGNATURE_TOKEN,
        "codescreen_api_key": "another-key",
        "codescreen_webhook_secret": WEBHOOK_SECRET,
    }
    assert super_admin_client.post(reverse("settings"), entered).status_code == 302
    LeverConnection.objects.get().disconnect("lost")
    connection = CodeScreenConnection.objects.get()
    assert (connection.api_key, connection.is_working) == ("another-key", True)
    assert "unreadable_secret" not in {finding.code for finding in findings(ready_organization)}
    assert post(client, ready_organization).status_code == 202
    changes = [entry.changes for entry in AuditEntry.objects.all()]
    assert {"api_key": ["unreadable", "set"]} in changes
    assert {"signature_token": ["unreadable", "set"]} in changes


def test_configure_enters_secrets_again_and_leaves_the_others_as_they_are(
    ready_organization, wrong_key, tmp_path
):
    path = tmp_path / "acme.toml"
    head = f'[organization]\nname = "{ready_organization.name}"\nslug = "{ready_organization.slug}"\n'
    path.write_text(head + "[policies]\nbulk_limit = 7\n")
    call_command("configure", path, stdout=io.StringIO())
    assert CodeScreenConnection.objects.get().is_key_unreadable
    path.write_text(head + '[codescreen]\napi_key = "another-key"\n')
    call_command("configure", path, stdout=io.StringIO())
    assert CodeScreenConnection.objects.get().api_key == "another-key"
    wrong_key()
    assert LeverConnection.objects.get().access_token == "access-1"
