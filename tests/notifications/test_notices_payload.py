"""What is stored of an e-mail is read back as it was written."""

import json

import pytest

from integrations.notifications.models.email_kind import Fact, Link
from integrations.notifications.notices import EmailPayload, InvitationUnchanged

FULL = EmailPayload(
    subject="the invitation bounced",
    lines=("One.", Fact("Score", "82"), Link("Two", "http://testserver/")),
    holds_while=InvitationUnchanged(7, "uncertain", "2026-11-24T12:00:00+00:00"),
    recipients=("a@portal.example", "b@portal.example"),
    requested="role",
    sent_to=("a@portal.example",),
)


@pytest.mark.parametrize("payload", [EmailPayload(), FULL])
def test_a_payload_is_the_same_after_a_round_trip(payload):
    assert EmailPayload.from_json(json.loads(json.dumps(payload.to_json()))) == payload


def test_what_is_missing_has_its_default():
    assert EmailPayload.from_json({}) == EmailPayload()
