"""What is stored of an e-mail is read back as it was written."""

import json

import pytest

from integrations.models import Effect
from integrations.workflow.email.kinds import EmailWording
from integrations.workflow.email.payload import MAX_DIGEST_LINES, EmailPayload
from tests import factories

FULL = EmailPayload(
    recipients=("a@portal.example", "b@portal.example"),
    subject="Several invitations bounced",
    lines=("One.", "Two."),
    variables={"assessment": "Backend"},
    wording=EmailWording("{problem}", "{details}"),
    requested="role",
    sent_to=("a@portal.example",),
    appended_keys=("2", "3"),
    left_out=1,
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


def test_an_appended_notice_takes_the_variables_of_the_first_away():
    payload = FULL.with_appended("4", "Several", ("Three.",))
    assert payload.lines == ("One.", "Two.", "Three.")
    assert (payload.subject, payload.variables) == ("Several", {})
    assert payload.appended_keys == ("2", "3", "4")
    assert payload.left_out == 1


def test_lines_that_no_longer_fit_are_counted():
    full = EmailPayload(lines=("x",) * MAX_DIGEST_LINES)
    payload = full.with_appended("2", "Several", ("y",))
    assert (payload.lines, payload.left_out) == (full.lines, 1)
    assert payload.appended_keys == ("2",)
