"""What alerts say, to people and to programs."""

import html
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from integrations.notifications.alerts import alert_of
from integrations.notifications.models.preferences import EmailTemplate
from integrations.notifications.payload import AlertPayload
from tests.support import factories

AT = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
RESULT = AlertPayload(
    type="result",
    result="Passed 82",
    outcome="Passed",
    score="82",
    link="https://portal.example/activity/o-1/",
)


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-1",
        candidate_name="Alder Birch",
        assessment_name="Backend",
        role_title="Engineer",
    )


def test_a_result_in_a_chat_room_is_a_sentence_with_a_link(organization, invitation):
    body = alert_of(organization, RESULT, invitation, AT).body("slack")
    assert body == {
        "text": "Alder Birch: Passed 82 (Backend), for the role Engineer.\n"
        "<https://portal.example/activity/o-1/|Open in the portal>"
    }


def test_a_result_for_a_program_is_json(organization, invitation):
    body = alert_of(organization, RESULT, invitation, AT).body("signed")
    assert body == {
        "type": "result",
        "timestamp": "2026-11-26T12:30:00Z",
        "organization": organization.slug,
        "data": {
            "opportunity_id": "o-1",
            "role": "Engineer",
            "assessment": "Backend",
            "outcome": "Passed",
            "score": 82,
            "candidate": "Alder Birch",
            "text": "Alder Birch: Passed 82 (Backend), for the role Engineer.",
            "url": "https://portal.example/activity/o-1/",
        },
    }


@pytest.mark.parametrize(("stated", "number"), [("82.5", 82.5), ("99.9", 99.9), ("0", 0), ("100", 100)])
def test_the_score_for_a_program_is_the_number_that_codescreen_stated(
    organization, invitation, stated, number
):
    payload = replace(RESULT, score=stated)
    assert alert_of(organization, payload, invitation, AT).data["score"] == number


def test_a_result_that_is_not_stated_has_no_outcome(organization, invitation):
    payload = AlertPayload(type="result", result="result not stated", outcome="not stated by CodeScreen")
    data = alert_of(organization, payload, invitation, AT).data
    assert (data["outcome"], data["score"]) == (None, None)


@pytest.mark.parametrize(
    ("wording", "name"), [("{candidate}", "Alder Birch"), ("{first_name}", "Alder"), ("{result}", "")]
)
def test_the_candidate_is_named_as_in_the_emails(organization, invitation, wording, name):
    EmailTemplate.objects.create(organization=organization, kind="result", subject="Result", body=wording)
    alert = alert_of(organization, RESULT, invitation, AT)
    assert alert.data.get("candidate", "") == name
    assert alert.text.startswith(f"{name or 'A candidate'}: Passed 82")
    if not name:
        assert "Alder" not in str(alert)


def test_nothing_in_a_name_is_markup_in_a_chat_room(organization, invitation):
    invitation.candidate_name = "<!channel> & <https://evil.example|click> @here"
    text = alert_of(organization, RESULT, invitation, AT).body("slack")["text"]
    assert "&lt;!channel&gt; &amp; &lt;" in text
    assert "@\u200bhere" in text
    assert text.count("<") == 1


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/login",
        "Ada https://evil.example",
        "www.evil.example",
        "evil.com",
        "<https://evil.example|click>",
    ],
)
def test_no_address_in_a_name_is_a_link_in_a_chat_room(organization, invitation, name):
    """Chat rooms make a link of what looks like an address, without any markup."""
    invitation.candidate_name = name
    first = alert_of(organization, RESULT, invitation, AT).body("slack")["text"].partition("\n")[0]
    assert not [part for part in ("://", "www.", "evil.example", "evil.com") if part in first]
    assert first.replace("\u200b", "").startswith(html.escape(name))


def test_a_problem_says_what_began_and_what_to_do(organization):
    payload = AlertPayload(
        type="incident", phase="began", subject="CodeScreen refused the API key", lines=("Save a new key.",)
    )
    alert = alert_of(organization, payload, None, AT)
    assert alert.text == "CodeScreen refused the API key.\nSave a new key."
    assert alert.data == {"phase": "began", "title": "CodeScreen refused the API key"}
