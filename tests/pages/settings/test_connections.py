"""The settings page: secrets are stored and never shown; each button says what came of it."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import WebhookEvent
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.pages.settings.connections import SWEEP_MINUTES
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

SETTINGS = "/settings/"


def stored_secrets() -> dict[str, str]:
    """Return the secrets that are stored, by the names of their fields."""
    webhook, codescreen = LeverWebhook.objects.first(), CodeScreenConnection.objects.first()
    return {
        "lever_signature_token": webhook.signature_token if webhook else "",
        "codescreen_api_key": codescreen.api_key if codescreen else "",
        "codescreen_webhook_secret": codescreen.webhook_secret if codescreen else "",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lever_signature_token", "abc123"),
        ("codescreen_api_key", "key-1"),
        ("codescreen_webhook_secret", factories.WEBHOOK_SECRET),
    ],
)
def test_one_secret_can_be_saved_alone_and_is_never_shown(super_admin_client, organization, field, value):
    page = text(super_admin_client.post(SETTINGS, {field: value}, follow=True))
    assert stored_secrets() == dict.fromkeys(stored_secrets(), "") | {field: value}
    assert "is stored" in page
    assert value not in page + str(list(recorded().values()))


def test_an_empty_field_keeps_the_stored_secret(super_admin_client, ready_organization):
    stored = stored_secrets()
    super_admin_client.post(SETTINGS, dict.fromkeys(stored, ""))
    assert stored_secrets() == stored
    assert stored["codescreen_api_key"]


def test_a_malformed_secret_is_explained_at_its_field_and_the_others_are_stored(
    super_admin_client, organization
):
    secrets = {"codescreen_webhook_secret": "nonsense", "codescreen_api_key": "key-2"}
    answer = super_admin_client.post(SETTINGS, secrets)
    assert answer.status_code == 200
    name = "id_codescreen_webhook_secret_error"
    assert f'id="{name}"' in text(answer)
    assert name in text(answer).split('name="codescreen_webhook_secret"')[1][:400]
    assert "nonsense" not in text(answer)
    assert stored_secrets()["codescreen_api_key"] == "key-2"


@pytest.mark.parametrize(
    ("client", "is_shown"), [("organization_admin_client", True), ("team_member_client", False)]
)
def test_others_see_the_pages_of_their_role_and_who_the_super_admins_are_and_no_connection(
    request, ready_organization, super_admin, client, is_shown
):
    page = text(request.getfixturevalue(client).get(SETTINGS))
    assert (reverse("notification-settings") in page) is is_shown
    assert super_admin.username in page
    for hidden in (reverse("team"), ready_organization.webhook_key, "lever_signature_token"):
        assert hidden not in page


def test_the_connect_form_names_the_organization_or_why_connecting_is_off(
    super_admin_client, organization, settings
):
    page = text(super_admin_client.get(SETTINGS))
    assert 'action="/oauth/login/lever/"' in page
    assert f'name="organization" value="{organization.slug}"' in page
    settings.LEVER_CLIENT_ID = ""
    page = text(super_admin_client.get(SETTINGS))
    assert "LEVER_CLIENT_ID" in page
    assert "/oauth/login/lever/" not in page


def test_a_dead_grant_shows_the_reason_and_reconnect(super_admin_client, ready_organization):
    ready_organization.lever_connection.mark_needs_reconnect("It was revoked in Lever.")
    page = text(super_admin_client.get(SETTINGS))
    for words in ("Needs reconnect", "It was revoked in Lever.", "Reconnect Lever"):
        assert words in page


def test_disconnecting_says_how_many_wait(super_admin_client, ready_organization):
    for number, status in enumerate(("held", "uncertain", "invited", "in_progress", "submitted")):
        instance = "" if number < 2 else f"i-{number}"
        factories.in_status(ready_organization, status, instance_id=instance)
    # nothing is asked about one whose following has ended, and two of one person are one candidate
    ended = {"following_ended": "not_started", "following_ended_at": timezone.now()}
    factories.in_status(ready_organization, "invited", instance_id="i-9", **ended)
    Invitation.objects.filter(status="submitted").update(
        opportunity_id=Invitation.objects.get(status="in_progress").opportunity_id, round=2
    )
    page = text(super_admin_client.get(SETTINGS))
    assert "<strong>1 invitation</strong> still to go out" in page
    assert "<strong>2 candidates</strong>" in page


@pytest.mark.parametrize("states", [None, False, True])
def test_the_page_asks_for_the_missing_fields_unless_the_account_states_results(
    super_admin_client, ready_organization, states
):
    CodeScreenConnection.objects.update(states_results=states)
    assert ("failureReason" in text(super_admin_client.get(SETTINGS))) is not states


@pytest.mark.parametrize(
    ("given", "said"),
    [("organization", "Lever is not connected"), ("ready_organization", "could not be reached")],
)
def test_a_webhook_that_could_not_be_made_is_explained(request, super_admin_client, settings, given, said):
    request.getfixturevalue(given)
    settings.LEVER_API_URL = "http://127.0.0.1:9/nowhere"
    assert said in text(super_admin_client.post(reverse("webhooks-make"), follow=True))


# retiring signature tokens


def test_retiring_a_token_is_asked_and_warns_before_the_last_one(super_admin_client, ready_organization):
    answer = super_admin_client.post(SETTINGS, {"lever_signature_token": "s" * 44 + "wxyz"}, follow=True)
    assert "honoured until" in text(answer)
    address = reverse("token-retire", args=[LeverWebhook.objects.get().pk, "previous"])
    assert f'action="{address}"' in text(answer)
    assert "These remain: Main token." in text(answer)
    assert "is retired" in text(super_admin_client.post(address, follow=True))
    assert not LeverWebhook.objects.get().has_previous
    assert super_admin_client.post(address).status_code == 404
    asked = text(super_admin_client.get(SETTINGS))
    assert "No other token is left" in asked
    assert f"every {SWEEP_MINUTES} minutes" in asked
    address = reverse("token-retire", args=[LeverWebhook.objects.get().pk, "current"])
    assert "No token is stored" in text(super_admin_client.post(address, follow=True))


def test_the_webhook_made_by_the_portal_is_removed_and_not_retired(super_admin_client, ready_organization):
    assert "The webhook that the portal made stays" not in text(super_admin_client.get(SETTINGS))
    made = factories.LeverWebhookFactory.create(organization=ready_organization, origin="api")
    address = reverse("token-retire", args=[made.pk, "current"])
    assert super_admin_client.post(address).status_code == 404
    asked = text(super_admin_client.get(SETTINGS))
    for action in ("webhooks-remove", "token-rotate"):
        assert f'action="{reverse(action, args=[made.pk] if action == "token-rotate" else [])}"' in asked
    assert address not in asked
    assert "The webhook that the portal made stays in Lever" in asked  # asked before Lever is disconnected


def test_dates_and_scopes_with_reasons_are_shown(super_admin_client, ready_organization):
    LeverConnection.objects.update(
        connected_at=datetime(2027, 3, 3, 12, 0, tzinfo=UTC), scopes="offline_access stages:write:admin"
    )
    page = text(super_admin_client.get(SETTINGS))
    for moment in ("3 Mar 2027, 12:00", "2 Mar 2028, 12:00"):
        assert moment in page, moment
    assert "(2 of 11 granted)" in page
    assert "Recognise the stages that begin with CodeScreen" in page


# a new API key is tried before the old one goes


def test_a_refused_key_is_explained_and_the_working_one_stays(
    super_admin_client, ready_organization, sandbox
):
    page = text(super_admin_client.post(SETTINGS, {"codescreen_api_key": "wrong-key"}))
    assert "CodeScreen refused this key" in page.split('role="alert"')[1].split("</div>")[0]
    assert "Not saved: see what to correct above." in page
    assert "wrong-key" not in page
    assert "Connected" in page.split('id="codescreen-title"')[1][:200]


def test_a_person_decides_about_a_key_that_cannot_be_tried(super_admin_client, ready_organization):
    assert "codescreen_untried" not in text(super_admin_client.get(SETTINGS))
    page = text(super_admin_client.post(SETTINGS, {"codescreen_api_key": "new-key"}))
    assert "It was not stored" in page
    assert 'name="codescreen_untried"' in page
    yes = {"codescreen_api_key": "new-key", "codescreen_untried": "on"}
    page = text(super_admin_client.post(SETTINGS, yes, follow=True))
    assert "could not be asked whether it accepts it" in page
    assert "Key not tried yet" in page
    assert stored_secrets()["codescreen_api_key"] == "new-key"


def test_a_form_of_another_page_returns_to_it_with_what_came_of_it(super_admin_client, organization, sandbox):
    for key, said in (
        ("wrong-key", "CodeScreen refused this key"),
        (sandbox.api_key, "CodeScreen accepts it and lists"),
    ):
        answer = super_admin_client.post(SETTINGS, {"codescreen_api_key": key, "next": "/"}, follow=True)
        assert answer.redirect_chain == [("/", 302)]
        assert said in text(answer)


# Lever's webhook


def test_nothing_is_asked_for_once_the_portal_made_the_webhook(super_admin_client, ready_organization):
    def webhook_card() -> str:
        page = html.unescape(text(super_admin_client.get(SETTINGS)))
        return page.split('id="webhook"')[1].split("</section>")[0]

    LeverWebhook.objects.all().delete()
    assert "Make the webhook for me" in webhook_card()
    for event in WebhookEvent:
        factories.LeverWebhookFactory.create(organization=ready_organization, origin="api", event=event)
    card = webhook_card()
    assert "There is nothing to paste." in card
    assert "No token is stored" not in card
    assert "Make the webhook for me" not in card
    assert re.search(r'<details id="by-hand" *>', card), "the way by hand is folded"


def test_the_webhooks_card_shows_the_last_five_deliveries_with_their_decisions(
    super_admin_client, ready_organization
):
    for number in range(6):
        candidate(ready_organization, f"{number}", "no_email")
    card = text(super_admin_client.get(SETTINGS)).partition('id="recent-title"')[2]
    assert re.findall(r"/activity/(o-\d)/", card) == ["o-5", "o-4", "o-3", "o-2", "o-1"]
    assert card.count("No e-mail address") == 5
