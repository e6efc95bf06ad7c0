"""The chat room in Slack or Teams: which addresses it may have, what is posted to it, and when that ends."""

from io import BytesIO
from typing import Any

import pytest
import requests
from django.core.exceptions import ValidationError
from django.urls import reverse

from integrations.core.vocabulary import ErasureCause
from integrations.http.session import PlatformError
from integrations.notifications import acts
from integrations.notifications.models.email_kind import EmailTopic, Fact
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.erase import erase
from integrations.store.encryption import sealed
from tests.notifications.outgoing import notify, send_all
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

SLACK = "https://hooks.slack.com/services/T/B/secret"
TEAMS = "https://default1.61.environment.api.powerplatform.com:443/workflows/1/invoke?sig=secret"


class Room:
    """What was posted where, and the status of the next answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.status = 200
        self.headers: dict[str, str] = {}

    def post(self, url: str, *, json: Any, **_: object) -> requests.Response:
        self.posted.append((url, json))
        answer = requests.Response()
        answer.status_code, answer.raw = self.status, BytesIO()
        answer.headers.update(self.headers)
        return answer


@pytest.fixture
def room(monkeypatch) -> Room:
    room = Room()
    monkeypatch.setattr(requests, "post", room.post)
    return room


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(organization=organization, role_title="Backend Engineer")


@pytest.fixture
def chatting(organization, room) -> Organization:
    """The organization, which has a room in Slack."""
    acts.save_chat_url(organization, SLACK, "test")
    room.posted.clear()
    organization.refresh_from_db()
    return organization


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/services/T",
        "https://hooks.slack.com.evil.example/T",
        "https://user@hooks.slack.com/T",
        "https://hooks.slack.com:8443/T",
        "https://evilapi.powerplatform.com/T",
        "https://127.0.0.1/T",
        "https://[::1",
        "https://evil.example\\.logic.azure.com/T",
        "hooks.slack.com",
    ],
)
def test_an_address_elsewhere_is_refused_and_not_called(organization, room, url):
    with pytest.raises(ValidationError, match="isn't a webhook"):
        acts.save_chat_url(organization, url, "test")
    assert room.posted == []


@pytest.mark.parametrize("url", [SLACK, TEAMS])
def test_a_room_is_told_first_and_its_address_is_stored_encrypted(organization, room, url):
    assert acts.save_chat_url(organization, url, "test")
    [(posted_to, body)] = room.posted
    assert (posted_to, "from now on" in str(body)) == (url, True)
    organization.refresh_from_db()
    assert organization.chat_url == url
    assert not acts.save_chat_url(organization, url, "test")
    assert acts.save_chat_url(organization, "", "test")
    assert [entry.action for entry in recorded()] == ["change_chat_room"] * 2
    assert "secret" not in str([entry.changes for entry in recorded()])


def test_a_room_that_refuses_the_first_message_is_not_stored(organization, room):
    room.status = 403
    with pytest.raises(PlatformError, match=r"hooks\.slack\.com answered 403"):
        acts.save_chat_url(organization, SLACK, "test")
    organization.refresh_from_db()
    assert organization.chat_url == ""


def test_slack_gets_what_the_email_says(chatting, room, invitation, super_admin):
    invitation.candidate_name = "Alder <!channel> https://evil.example"
    invitation.save()
    lines = [Fact("Score", "82")]
    notify(chatting, EmailTopic.RESULT, subject="Passed 82 (Backend)", lines=lines, invitation=invitation)
    [message] = send_all()
    [(_, body)] = room.posted
    subject, who, score, link = body["text"].split("\n")
    assert subject == f"*{message.subject}*" == "*Alder: Passed 82 (Backend)*"
    assert "&lt;!channel&gt;" in who
    assert "://" not in who
    assert score == "Score: 82"
    assert link == f"<http://testserver/activity/{invitation.opportunity_id}/|Open in the portal>"


def test_teams_gets_a_card_without_markup(chatting, room, invitation):
    Organization.objects.update(**sealed(chatting, chat_url=TEAMS))
    chatting.refresh_from_db()
    notify(chatting, subject="the invitation bounced", lines=["**It** came back."], invitation=invitation)
    send_all()
    [(_, body)] = room.posted
    [attachment] = body["attachments"]
    shown = [block["inlines"][0]["text"] for block in attachment["content"]["body"]]
    assert shown[0].endswith(": the invitation bounced")
    assert shown[-1] == "**It** came back."
    assert {block["type"] for block in attachment["content"]["body"]} == {"RichTextBlock"}
    assert attachment["content"]["actions"][0]["title"] == "Open in the portal"


@pytest.mark.parametrize("status", [404, 410])
def test_a_room_that_is_gone_is_removed_and_the_page_says_so(chatting, room, super_admin_client, status):
    room.status = status
    notify(chatting)
    send_all()
    chatting.refresh_from_db()
    assert chatting.chat_url == ""
    effect = Effect.objects.get(kind="send_alert")
    assert (effect.state, effect.last_error) == ("failed", f"hooks.slack.com answered {status}")
    page = text(super_admin_client.get(reverse("notification-settings")))
    assert f"hooks.slack.com answered {status}: the room is gone" in page


def test_a_message_that_can_be_accepted_later_is_tried_again(chatting, room):
    room.status, room.headers = 429, {"Retry-After": "60"}
    notify(chatting)
    send_all()
    effect = Effect.objects.get(kind="send_alert")
    assert (effect.state, effect.attempts) == ("due", 1)
    room.status = 200
    send_all()
    effect.refresh_from_db()
    assert effect.state == "done"
    assert len(room.posted) == 2


def test_nothing_is_posted_for_nobody(organization, room, chatting):
    notify(chatting, key="1")
    acts.save_chat_url(chatting, "", "test")
    send_all()
    assert Effect.objects.get(kind="send_alert").state == "cancelled"
    organization.refresh_from_db()
    notify(organization, key="2")
    assert Effect.objects.filter(kind="send_alert").count() == 1
    assert room.posted == []


def test_a_message_about_an_erased_person_is_emptied_and_not_posted(scenario, room):
    acts.save_chat_url(scenario.organization, SLACK, "test")
    scenario.organization.refresh_from_db()
    invitation = scenario.pending_invitation()
    notify(
        scenario.organization,
        lines=["CodeScreen said something about Candidate Alder"],
        invitation=invitation,
    )
    erase(scenario.organization, invitation.opportunity_id, ErasureCause.FORGOTTEN, "test")
    effect = Effect.objects.get(kind="send_alert")
    assert (effect.state, effect.payload) == ("cancelled", {})
    assert len(room.posted) == 1


def test_a_super_admin_enters_and_removes_the_room(super_admin_client, organization, room):
    page = reverse("notification-settings")
    assert "a webhook of Slack or Teams" in text(
        super_admin_client.post(page, {"url": "https://evil.example/x"})
    )
    answer = super_admin_client.post(page, {"url": SLACK}, follow=True)
    assert "The first message is in the room." in text(answer)
    assert "Posted to hooks.slack.com." in text(answer)
    assert "T/B/secret" not in text(answer)
    answer = super_admin_client.post(page, {"remove": "1"}, follow=True)
    assert "Nothing is posted to the room any more." in text(answer)
    organization.refresh_from_db()
    assert organization.chat_url == ""
