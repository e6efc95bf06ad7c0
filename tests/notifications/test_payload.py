"""What is stored of an e-mail is read back as it was written."""

import json

import pytest

from integrations.notifications.models.email_kind import EmailWording, Link
from integrations.notifications.payload import MAX_DIGEST_LINES, EmailPayload, InvitationUnchanged, Notice
from integrations.outbox.models import Effect
from tests.support import factories

FULL = EmailPayload(
    recipients=("a@portal.example", "b@portal.example"),
    subject="Several invitations could not be sent",
    lines=("One.", Link("Two", "http://testserver/")),
    variables={"assessment": "Backend"},
    wording=EmailWording("{problem}", "{details}"),
    requested="role",
    sent_to=("a@portal.example",),
    holds_while=InvitationUnchanged(7, "uncertain", "2026-11-24T12:00:00+00:00"),
    appended=(
        Notice("Another", ("Three.",), {"role": "Chef"}, InvitationUnchanged(8, "failed", "2026"), "2"),
        Notice("A third", key="3"),
    ),
)


@pytest.mark.parametrize("payload", [EmailPayload(), FULL])
def test_a_payload_is_the_same_after_a_round_trip(payload):
    assert EmailPayload.from_json(json.loads(json.dumps(payload.to_json()))) == payload


@pytest.mark.django_db
def test_a_payload_is_the_same_after_the_database(organization):
    factories.EffectFactory.create(
        organization=organization, kind="send_email", email_topic="result", payload=FULL.to_json()
    )
    assert EmailPayload.from_json(Effect.objects.get().payload) == FULL


def test_what_is_missing_has_its_default():
    assert EmailPayload.from_json({}) == EmailPayload()


def test_an_appended_notice_keeps_what_it_says():
    notice = Notice("Not sent", ("Three.",), {"assessment": "Frontend"}, key="4")
    payload = FULL.with_appended(notice)
    assert payload.appended == (*FULL.appended, notice)
    assert payload.with_notices(*payload.notices) == payload


def test_of_what_no_longer_fits_is_kept_which_it_is():
    full = EmailPayload(lines=("x",) * MAX_DIGEST_LINES)
    condition = InvitationUnchanged(7, "uncertain", "2026-03-01")
    payload = full.with_appended(
        Notice("Not sent", ("y",), {"candidate": "Alder"}, condition, "2", "opportunity-1")
    )
    assert payload.left_out == 1
    assert payload.appended == (Notice(holds_while=condition, key="2", opportunity_id="opportunity-1"),)
