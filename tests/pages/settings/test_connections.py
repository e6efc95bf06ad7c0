"""The settings page: secrets are stored and never shown; each button says what came of it."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.clients import provider
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import LikelyMistake, WebhookEvent
from integrations.health.models import WebhookRejection
from integrations.lever.acts import make_webhooks
from integrations.lever.lookups import RegisteredWebhook
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.pages.settings.connections import SWEEP_MINUTES
from tests.support import factories
from tests.support.factories import recorded

SETTINGS = "/settings/"
SECRET = factories.WEBHOOK_SECRET


def text(answer) -> str:
    return answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        (
            "lever_signature_token",
            "abc123",
            lambda o: LeverWebhook.objects.get(organization=o).signature_token,
        ),
        ("codescreen_api_key", "key-1", lambda o: CodeScreenConnection.objects.get(organization=o).api_key),
        (
            "codescreen_webhook_secret",
            SECRET,
            lambda o: CodeScreenConnection.objects.get(organization=o).webhook_secret,
        ),
    ],
)
def test_one_secret_can_be_saved_alone_and_is_never_shown(
    super_admin_client, organization, field, value, stored
):
    answer = super_admin_client.post(SETTINGS, {field: value}, follow=True)
    assert stored(organization) == value
    assert "is stored" in text(answer)
    assert value not in text(answer)
    assert value not in str(list(recorded().values()))


def test_an_empty_field_keeps_the_stored_secret(super_admin_client, ready_organization):
    super_admin_client.post(
        SETTINGS, {"lever_signature_token": "", "codescreen_api_key": "", "codescreen_webhook_secret": ""}
    )
    assert (
        LeverWebhook.objects.get(organization=ready_organization).signature_token == factories.SIGNATURE_TOKEN
    )
    assert CodeScreenConnection.objects.get(organization=ready_organization).api_key == "codescreen-key"


def test_a_malformed_secret_is_explained_at_its_field_and_the_others_are_stored(
    super_admin_client, organization
):
    answer = super_admin_client.post(
        SETTINGS, {"codescreen_webhook_secret": "nonsense", "codescreen_api_key": "key-2"}
    )
    assert answer.status_code == 200
    assert 'id="id_codescreen_webhook_secret_error"' in text(answer)
    assert (
        "id_codescreen_webhook_secret_error"
        in text(answer).split('name="codescreen_webhook_secret"')[1][:400]
    )
    assert "nonsense" not in text(answer)
    assert CodeScreenConnection.objects.get(organization=organization).api_key == "key-2"


def test_a_replaced_token_is_shown_with_the_end_of_its_overlap(super_admin_client, ready_organization):
    answer = super_admin_client.post(SETTINGS, {"lever_signature_token": "another"}, follow=True)
    assert "the one before" in text(answer)
    assert "honoured until" in text(answer)


def test_an_admin_sees_the_tab_of_the_rules_and_no_connection(
    organization_admin_client, ready_organization, super_admin
):
    page = text(organization_admin_client.get(SETTINGS))
    assert reverse("mapping-list") in page
    assert reverse("notification-settings") in page
    assert reverse("team") not in page
    assert super_admin.username in page
    assert ready_organization.webhook_key not in page
    assert "lever_signature_token" not in page
    assert organization_admin_client.post(SETTINGS, {"codescreen_api_key": "mine"}).status_code == 403
    assert CodeScreenConnection.objects.get(organization=ready_organization).api_key == "codescreen-key"


def test_a_team_member_sees_only_who_the_super_admins_are(
    team_member_client, ready_organization, super_admin
):
    page = text(team_member_client.get(SETTINGS))
    assert super_admin.username in page
    assert ready_organization.webhook_key not in page
    assert reverse("notification-settings") not in page


def test_the_connect_form_names_the_organization(super_admin_client, organization):
    page = text(super_admin_client.get(SETTINGS))
    assert 'action="/oauth/login/lever/"' in page
    assert f'name="organization" value="{organization.slug}"' in " ".join(page.split())
    assert "opportunities:write:admin" in page


def test_without_a_registered_app_the_page_says_why_connecting_is_off(super_admin_client, settings):
    settings.LEVER_CLIENT_ID = ""
    page = text(super_admin_client.get(SETTINGS))
    assert "LEVER_CLIENT_ID" in page
    assert "/oauth/login/lever/" not in page


def test_a_dead_grant_shows_the_reason_and_reconnect(super_admin_client, ready_organization):
    LeverConnection.objects.get(organization=ready_organization).mark_needs_reconnect(
        "It was revoked in Lever."
    )
    page = text(super_admin_client.get(SETTINGS))
    assert "Needs reconnect" in page
    assert "It was revoked in Lever." in page
    assert "Reconnect Lever" in page


def test_disconnecting_says_how_many_wait_and_deletes_the_tokens(super_admin_client, ready_organization):
    url = reverse("lever-disconnect")
    for status, instance in (("held", ""), ("invited", "i-1"), ("in_progress", "i-2")):
        factories.InvitationFactory.create(
            organization=ready_organization, status=status, instance_id=instance
        )
    page = text(super_admin_client.get(SETTINGS))
    assert f'action="{url}"' in page
    assert "<strong>1 invitation</strong> still to go out" in page
    assert "<strong>2 candidates</strong>" in page
    assert "Lever is disconnected" in text(super_admin_client.post(url, follow=True))
    connection = LeverConnection.objects.get(organization=ready_organization)
    assert (connection.state, connection.access_token, connection.refresh_token) == ("revoked", "", "")


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        (None, "No result has come yet"),
        (False, "The last result came without Passed, Failed or Expired"),
        (True, "CodeScreen states Passed, Failed or Expired for this account"),
    ],
)
def test_the_page_says_whether_the_account_states_results(
    super_admin_client, ready_organization, states, sentence
):
    CodeScreenConnection.objects.update(states_results=states)
    page = text(super_admin_client.get(reverse("settings")))
    assert sentence in page
    assert ("failureReason" in page) is not states


def test_an_unavailable_platform_is_shown_as_a_message(super_admin_client, ready_organization, settings):
    settings.CODESCREEN_API_URL = settings.LEVER_API_URL = "http://127.0.0.1:9/nowhere"
    assert "could not be reached" in text(super_admin_client.post(reverse("webhooks-make"), follow=True))


def test_making_a_webhook_without_a_connection_is_explained(super_admin_client, organization):
    assert "Lever is not connected" in text(super_admin_client.post(reverse("webhooks-make"), follow=True))


def test_webhooks_are_made_and_removed_through_levers_api(
    super_admin_client, ready_organization, monkeypatch
):
    class Lever:
        def webhooks(self):
            return []

        def create_webhook(self, url, event):
            return RegisteredWebhook("w-1", event, url, "secret-of-lever")

        def delete_webhook(self, webhook_id):
            assert webhook_id == "w-1"

    monkeypatch.setattr("integrations.clients.provider.lever_client", lambda organization: Lever())
    made = text(super_admin_client.post(reverse("webhooks-make"), follow=True))
    assert "turned on" in made
    assert "secret-of-lever" not in made
    assert "Remove the webhooks from Lever" in made
    page = text(super_admin_client.post(reverse("webhooks-remove"), follow=True))
    assert "is removed" in page
    assert "The webhook made through Lever's API was removed from Lever" in " ".join(page.split())
    assert not LeverWebhook.objects.active().filter(organization=ready_organization, origin="api").exists()


# retiring signature tokens


def test_retiring_the_token_before_is_asked_and_audited(super_admin_client, ready_organization):
    super_admin_client.post(reverse("settings"), {"lever_signature_token": "s" * 44 + "wxyz"})
    main = LeverWebhook.objects.get(organization=ready_organization)
    address = reverse("token-retire", args=[main.pk, "previous"])
    asked = text(super_admin_client.get(SETTINGS))
    assert f'action="{address}"' in asked
    assert "These remain: Main token." in " ".join(asked.split())
    assert "is retired" in text(super_admin_client.post(address, follow=True))
    assert not LeverWebhook.objects.get().has_previous
    assert super_admin_client.post(address).status_code == 404
    assert recorded().latest("pk").action == "retire_token"
    assert "s" * 20 not in str(list(recorded().values()))


def test_retiring_the_last_token_warns_that_every_delivery_will_be_refused(
    super_admin_client, ready_organization
):
    main = LeverWebhook.objects.get(organization=ready_organization)
    address = reverse("token-retire", args=[main.pk, "current"])
    asked = " ".join(text(super_admin_client.get(SETTINGS)).split())
    assert "No other token is left" in asked
    assert f"every {SWEEP_MINUTES} minutes" in asked
    assert "No token is stored" in text(super_admin_client.post(address, follow=True))


def test_the_webhook_made_by_the_portal_is_removed_and_not_retired(super_admin_client, ready_organization):
    made = factories.LeverWebhookFactory.create(
        organization=ready_organization, origin="api", signature_token="m" * 48
    )
    assert super_admin_client.post(reverse("token-retire", args=[made.pk, "current"])).status_code == 404
    asked = text(super_admin_client.get(SETTINGS))
    assert f'action="{reverse("webhooks-remove")}"' in asked
    assert reverse("token-retire", args=[made.pk, "current"]) not in asked
    made.refresh_from_db()
    assert made.retired_at is None


def test_rotating_the_webhook_that_the_portal_made_keeps_the_token_before_for_a_day(
    client_for, super_admin, connected_organization, sandbox
):
    [made] = make_webhooks(
        connected_organization, provider.lever_client(connected_organization), super_admin
    )[:1]
    before = made.signature_token
    client = client_for(super_admin)
    address = reverse("token-rotate", args=[made.pk])
    assert f'action="{address}"' in text(client.get(SETTINGS))
    assert "The one before counts for another day." in text(client.post(address, follow=True))
    now = LeverWebhook.objects.get(pk=made.pk)
    assert now.signature_token not in {before, ""}
    assert (now.previous_signature_token, now.has_previous) == (before, True)
    in_lever = [one for one in sandbox.lever.accounts["acme"].events.webhooks.values() if one.by_api]
    assert {one.signature_token for one in in_lever if one.event == made.event} == {now.signature_token}


def test_a_short_tokens_ending_is_not_shown(super_admin_client, ready_organization):
    super_admin_client.post(SETTINGS, {"lever_signature_token": "short-secret-abcd"})
    assert "abcd" not in text(super_admin_client.get(SETTINGS))


def test_who_disconnects_is_told_of_the_webhook_that_stays(super_admin_client, ready_organization):
    assert "The webhook that the portal made stays" not in text(super_admin_client.get(SETTINGS))
    factories.LeverWebhookFactory.create(organization=ready_organization, origin="api")
    assert "The webhook that the portal made stays in Lever" in text(super_admin_client.get(SETTINGS))


def test_dates_and_scopes_with_reasons_are_shown(super_admin_client, ready_organization):
    LeverConnection.objects.update(
        connected_at=datetime(2027, 3, 3, 12, 0, tzinfo=UTC), scopes="offline_access stages:write:admin"
    )
    page = " ".join(text(super_admin_client.get(SETTINGS)).split())
    for moment in ("3 Mar 2027, 12:00", "2 Mar 2028, 12:00"):
        assert moment in page, moment
    assert "(2 of 11 granted)" in page
    assert "Recognise the stages that begin with CodeScreen" in page


# a new API key is tried before the old one goes


def test_a_refused_key_is_explained_and_the_working_one_stays(
    super_admin_client, ready_organization, sandbox
):
    answer = super_admin_client.post(SETTINGS, {"codescreen_api_key": "wrong-key"})
    page = " ".join(text(answer).split())
    assert "CodeScreen refused this key" in page.split('role="alert"')[1].split("</div>")[0]
    assert "Not saved: see what to correct above." in page
    assert "wrong-key" not in page
    assert "Connected" in page.split('id="codescreen-title"')[1][:200]
    connection = CodeScreenConnection.objects.get(organization=ready_organization)
    assert (connection.api_key, connection.is_working) == ("codescreen-key", True)


def test_a_person_decides_about_a_key_that_cannot_be_tried(super_admin_client, ready_organization):
    assert "codescreen_untried" not in text(super_admin_client.get(SETTINGS))
    page = text(super_admin_client.post(SETTINGS, {"codescreen_api_key": "new-key"}))
    assert "It was not stored" in page
    assert 'name="codescreen_untried"' in page
    page = text(
        super_admin_client.post(
            SETTINGS, {"codescreen_api_key": "new-key", "codescreen_untried": "on"}, follow=True
        )
    )
    assert "could not be asked whether it accepts it" in page
    assert "Key not tried yet" in page
    assert CodeScreenConnection.objects.get(organization=ready_organization).api_key == "new-key"


def test_an_accepted_key_is_connected_at_once(super_admin_client, organization, sandbox):
    page = text(super_admin_client.post(SETTINGS, {"codescreen_api_key": sandbox.api_key}, follow=True))
    assert "CodeScreen accepts it and lists" in page
    assert CodeScreenConnection.objects.get(organization=organization).verified_at is not None


def test_a_form_of_another_page_returns_to_it_with_what_to_correct(super_admin_client, organization, sandbox):
    answer = super_admin_client.post(SETTINGS, {"codescreen_api_key": "wrong-key", "next": "/"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "CodeScreen refused this key" in text(answer)


# Lever's webhook


def webhook_card(client) -> str:
    page = html.unescape(" ".join(text(client.get(SETTINGS)).split()))
    return page.split('id="webhook"')[1].split("</section>")[0]


def test_a_wrong_signature_is_said_at_the_top_of_the_card_and_not_below_a_good_state(
    super_admin_client, ready_organization
):
    assert "Working" in webhook_card(super_admin_client)
    WebhookRejection.record(ready_organization, "lever", "signature_mismatch", "unknown_token")
    card = webhook_card(super_admin_client)
    assert "We rejected Lever's last message: wrong signature." in card
    assert LikelyMistake.UNKNOWN_TOKEN.label in card
    assert "Working" not in card
    assert card.index("wrong signature") < card.index("Make the webhook for me")


def test_nothing_is_asked_for_once_the_portal_made_the_webhook(super_admin_client, ready_organization):
    LeverWebhook.objects.all().delete()
    assert "Make the webhook for me" in webhook_card(super_admin_client)
    for event in WebhookEvent:
        factories.LeverWebhookFactory.create(organization=ready_organization, origin="api", event=event)
    card = webhook_card(super_admin_client)
    assert "There is nothing to paste." in card
    assert "No token is stored" not in card
    assert "Make the webhook for me" not in card
    assert re.search(r'<details id="by-hand" *>', card), "the way by hand is folded"


def test_the_labels_are_those_of_levers_article(super_admin_client, organization):
    card = webhook_card(super_admin_client)
    assert ">Lever Webhook Signature</label>" in card
    assert ">Save changes</button>" in card


def test_the_webhooks_card_shows_the_last_five_deliveries_with_their_decisions(
    super_admin_client, ready_organization
):
    for number in range(6):
        factories.DeliveryFactory.create(
            organization=ready_organization,
            opportunity_id=f"o-{number}",
            verdict="no_email",
            decided_at=timezone.now(),
            due_at=None,
        )
    page = text(super_admin_client.get(SETTINGS))
    card = page[page.index('id="recent-title"') :]
    for number in range(1, 6):
        assert reverse("candidate", args=[f"o-{number}"]) in card
    assert reverse("candidate", args=["o-0"]) not in page
    assert card.count("No e-mail address") == 5


def test_programs_are_one_click_from_the_settings(super_admin_client, ready_organization):
    page = text(super_admin_client.get(SETTINGS))
    assert page.index(reverse("api-tokens")) < page.index('id="advanced"')
