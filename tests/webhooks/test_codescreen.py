"""CodeScreen's webhook endpoint: the contract, and what applies to CodeScreen alone."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest import mock

import pytest

from integrations.codescreen.models import CodeScreenConnection
from integrations.codescreen.payloads import sign
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from tests.support.factories import WEBHOOK_SECRET, CodeScreenConnectionFactory
from tests.support.payloads import codescreen_headers, load
from tests.webhooks.contract import WebhookContract

OTHER_SECRET = "whsec_YW5vdGhlci1vcmdhbml6YXRpb25zLXNlY3JldC0wMDAwMDE="

#: A message with a known signature under WEBHOOK_SECRET; the body is these very bytes.
KNOWN_TIME = 1714645867
KNOWN_HEADERS = {
    "webhook-id": "msg_01HX0000000000000000000004",
    "webhook-timestamp": str(KNOWN_TIME),
    "webhook-signature": "v1,K5ZnLFic3fzgCEGkt8L66zDneyg2pGkyOks47+CXl0E=",
}
KNOWN_BODY = (
    b'{"type":"candidate.evaluated","timestamp":"2024-05-02T10:31:07.000Z","data":'
    b'{"assessmentInstanceId":"1b68dc27-6155-41c2-89e3-4e00bd62d227",'
    b'"assessmentId":"af401f8e-24d9-4889-ad8b-39cc8366b0ac","externalId":"lever:opp-1",'
    b'"status":"Complete","sequence":4}}'
)


def new_id() -> str:
    """Return a message id that wasn't used before."""
    return f"msg_{uuid.uuid4().hex}"


def signed_at(moment: int, body: bytes = KNOWN_BODY) -> dict[str, str]:
    """Return the headers of a body signed at that Unix second."""
    message_id = new_id()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": sign(message_id, str(moment), body, WEBHOOK_SECRET),
    }


def clock_at(moment: int):
    """Let the database's clock stand at that Unix second."""
    return mock.patch("integrations.store.database.now", return_value=datetime.fromtimestamp(moment, UTC))


class TestCodeScreen(WebhookContract):
    url_name = "codescreen-webhook"
    secret = WEBHOOK_SECRET
    other_secret = OTHER_SECRET
    event_field = "type"
    unparsable_unsigned = (
        401  # the signature is over the raw bytes, so it is checked before the body is parsed
    )
    wrong_types: ClassVar[dict[str, list[Any]]] = {
        "type": [None, 5, True, ["a"], {"a": 1}, "", "x" * 101, " " * 150 + "a"],
        "data": [None, 5, True, "a", ["a"]],
        "data.assessmentInstanceId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 301],
    }

    def accept(self, organization: Organization, secret: str) -> None:
        CodeScreenConnectionFactory(organization=organization, webhook_secret=secret)

    def payload(self, **changes: Any) -> dict[str, Any]:
        return load("codescreen/candidate_evaluated") | changes

    def signed(self, payload: dict[str, Any], secret: str = "") -> tuple[bytes, dict[str, str]]:
        body = json.dumps(payload).encode()
        return body, codescreen_headers(body, secret or WEBHOOK_SECRET, new_id())

    def signed_text(self, member: str) -> tuple[bytes, dict[str, str]]:
        return self.signed_body(KNOWN_BODY[:-1] + b', "extra": ' + member.encode() + b"}")

    def signed_body(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        return body, codescreen_headers(body, WEBHOOK_SECRET, new_id())

    def tampered(self) -> dict[str, tuple[bytes, dict[str, str]]]:
        good = signed_at(int(time.time()))
        right = good["webhook-signature"]
        changed = {
            "webhook-id": ["", "msg_other", "x" * 201],
            "webhook-timestamp": ["", "now", "-1", "+1", "1.5", "1e9", " ", str(int(time.time()) + 1), "١٧١"],
            "webhook-signature": [
                "",
                "v1,",
                "v1",
                ",",
                " ",
                right.removeprefix("v1,"),
                right.replace("v1,", "v2,"),
                right.replace("v1,", "v1a,"),
                right.lower(),
                right[:-2] + "B=",
                right + "=",
                "v1,ä",
            ],
        }
        requests = {
            f"{name}: {value!r}": (KNOWN_BODY, good | {name: value})
            for name, values in changed.items()
            for value in values
        }
        for name in good:
            requests[f"no {name}"] = (KNOWN_BODY, {key: value for key, value in good.items() if key != name})
        requests["another body"] = (KNOWN_BODY + b" ", good)
        requests["nothing"] = (KNOWN_BODY, {})
        return requests

    # for CodeScreen alone

    def test_the_known_message_is_accepted(self, sender, endpoint):
        with clock_at(KNOWN_TIME):
            assert self.send(sender, endpoint, (KNOWN_BODY, KNOWN_HEADERS)).status_code == 202
            assert self.send(sender, endpoint, (KNOWN_BODY, KNOWN_HEADERS)).status_code == 200
        delivery = Delivery.objects.get()
        assert delivery.event == "candidate.evaluated"
        assert delivery.dedupe_key == "id:msg_01HX0000000000000000000004"
        assert delivery.payload == json.loads(KNOWN_BODY)

    @pytest.mark.parametrize(
        ("offset", "status"), [(-300, 202), (300, 202), (-301, 401), (301, 401), (-86_400, 401)]
    )
    def test_a_stale_or_future_timestamp_is_refused(self, sender, endpoint, offset, status):
        now = int(time.time())
        with clock_at(now):
            answer = self.send(sender, endpoint, (KNOWN_BODY, signed_at(now + offset)))
        assert answer.status_code == status
        if status == 401:
            assert answer.json()["code"] == "timestamp_out_of_range"

    def test_one_of_several_signatures_is_enough(self, sender, endpoint):
        for form in ("v1,d3Jvbmc= {}", "{} v1,d3Jvbmc=", "v1a,asymmetric {} v2,later", "v1,d3Jvbmc=  {}"):
            headers = signed_at(int(time.time()))
            headers["webhook-signature"] = form.format(headers["webhook-signature"])
            assert self.send(sender, endpoint, (KNOWN_BODY, headers)).status_code == 202, form

    def test_a_verified_webhook_marks_the_connection_as_received(self, sender, endpoint, organization):
        self.send(sender, endpoint, self.signed(self.payload()))
        assert CodeScreenConnection.objects.get(organization=organization).last_received_at is not None

    def test_a_message_without_an_instance_is_stored(self, sender, endpoint):
        assert self.send(sender, endpoint, self.signed(self.payload(data={}))).status_code == 202
