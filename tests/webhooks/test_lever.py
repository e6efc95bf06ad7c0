"""Lever's webhook endpoint: the contract, and what applies to Lever alone."""

import json
import time
import uuid
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.lever.acts.webhooks import Generation, retire_token, save_main_token
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import sign as signature_of
from integrations.organizations.models.organization import Organization
from integrations.queue import worker
from integrations.webhooks import authentication
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import load, sign
from tests.webhooks.contract import WebhookContract

OTHER_TOKEN = "fedcba9876543210" * 3


def encode(payload: dict[str, Any]) -> bytes:
    """Return the bytes Lever would send."""
    return json.dumps(payload).encode()


class TestLever(WebhookContract):
    url_name = "lever-webhook"
    secret = SIGNATURE_TOKEN
    other_secret = OTHER_TOKEN
    event_field = "event"
    unparsable_unsigned = 400  # the signature is in the body, so the body is parsed first
    wrong_types: ClassVar[dict[str, list[Any]]] = {
        "id": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
        "event": [None, 5, True, ["a"], {"a": 1}, "", "x" * 101, " " * 150 + "a"],
        "triggeredAt": [None, True, False, 1782974004990.0, 1782974004990.5, "1782974004990", [1], {"a": 1}],
        "token": [None, 5, True, ["a"], {"a": 1}, ""],
        "data": [5, True, "a", ["a"], [], ""],
        "data.opportunityId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
        "data.candidateId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
        "data.contactId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
        "data.toStageId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
        "data.fromStageId": [5, True, 1.5, ["a"], {"a": 1}, "x" * 201],
    }

    def accept(self, organization: Organization, secret: str) -> None:
        LeverWebhookFactory(organization=organization, signature_token=secret)

    def payload(self, **changes: Any) -> dict[str, Any]:
        return load("lever/candidate_stage_change", id=str(uuid.uuid4())) | changes

    def signed(self, payload: dict[str, Any], secret: str = "") -> tuple[bytes, dict[str, str]]:
        signature = signature_of(str(payload["token"]), payload["triggeredAt"], secret or SIGNATURE_TOKEN)
        return encode({"signature": signature} | payload), {}

    def signed_text(self, member: str) -> tuple[bytes, dict[str, str]]:
        body, _ = self.signed(self.payload())
        return body[:-1] + b', "extra": ' + member.encode() + b"}", {}

    def signed_body(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        return body, {}

    def tampered(self) -> dict[str, tuple[bytes, dict[str, str]]]:
        good = sign(self.payload(), SIGNATURE_TOKEN)
        signature = good["signature"]
        changes: dict[str, Any] = {
            "no such text": "0" * 64,
            "upper case": signature.upper(),
            "one digit off": signature[:-1] + ("0" if signature[-1] != "0" else "1"),
            "cut short": signature[:-1],
            "padded": signature + " ",
            "empty": "",
            "not ASCII": "ä" * 64,
            "null": None,
            "a number": 5,
            "true": True,
            "a list": [signature],
            "an object": {"signature": signature},
            "under an empty token": signature_of(good["token"], good["triggeredAt"], ""),
        }
        requests = {name: encode(good | {"signature": value}) for name, value in changes.items()}
        requests["another time"] = encode(good | {"triggeredAt": good["triggeredAt"] + 1})
        requests["another token"] = encode(good | {"token": "c" * 48})
        requests["a quoted time"] = encode(good | {"triggeredAt": str(good["triggeredAt"])})
        for name in ("token", "triggeredAt", "signature"):
            requests[f"no {name}"] = encode({key: value for key, value in good.items() if key != name})
        return {name: (body, {}) for name, body in requests.items()}

    def statuses(self, sender, endpoint, *payloads: dict[str, Any]) -> list[int]:
        """Send signed payloads one after another and return the status of each answer."""
        return [self.send(sender, endpoint, self.signed(payload)).status_code for payload in payloads]

    # for Lever alone

    def test_a_body_with_wrong_types_is_401_when_the_signature_is_wrong(self, sender, endpoint):
        payload = sign(self.payload(event=5, data=[]), OTHER_TOKEN)
        assert self.send(sender, endpoint, (encode(payload), {})).status_code == 401

    @pytest.mark.parametrize(
        "data",
        [
            {},
            None,
            "absent",
            {"contactId": "c-1"},
            {"opportunityId": None, "toStageId": "s-1"},
            {"opportunityId": ""},
            {"anything": {"nested": [1]}},
        ],
    )
    def test_levers_test_request_is_answered_200_and_decided(self, sender, endpoint, organization, data):
        payload = sign(load("lever/verify_connection", data=data), SIGNATURE_TOKEN)
        if data == "absent":
            del payload["data"]
        answers = [self.send(sender, endpoint, (encode(payload), {})) for _ in range(2)]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {}), (200, {})]
        webhook = LeverWebhook.objects.get(organization=organization)
        assert webhook.last_verified_at is not None
        assert webhook.last_received_at is None
        worker.work()
        delivery = Delivery.objects.get()
        assert delivery.verdict == "test_request"
        assert delivery.repeats == 1

    def test_test_requests_with_different_tokens_are_stored_separately(self, sender, endpoint):
        for letter in "ab":
            payload = load("lever/verify_connection", token=letter * 48)
            assert self.send(sender, endpoint, self.signed(payload)).status_code == 200
        assert Delivery.objects.count() == 2

    def test_a_stage_change_that_names_the_candidate_alone_is_one_of_the_opportunity_with_this_id(
        self, sender, endpoint, organization
    ):
        payload = self.payload(id=None, data={"candidateId": "o-1", "toStageId": "s-1"})
        other = payload | {"data": {"candidateId": "o-2", "toStageId": "s-1"}}
        assert self.statuses(sender, endpoint, payload, other, payload) == [202, 202, 200]
        assert sorted(Delivery.objects.values_list("opportunity_id", flat=True)) == ["o-1", "o-2"]
        assert LeverWebhook.objects.get(organization=organization).last_received_at is not None
        worker.work()
        assert not Delivery.objects.filter(verdict="test_request").exists()

    def test_neither_token_nor_signature_is_stored(self, sender, endpoint):
        payload = self.payload()
        body, headers = self.signed(payload)
        self.send(sender, endpoint, (body, headers))
        kept = Delivery.objects.get().payload
        assert kept == {name: value for name, value in payload.items() if name != "token"}
        assert json.loads(body)["signature"] not in json.dumps(kept)

    @pytest.mark.parametrize("no_id", [{"id": None}, {"id": ""}, {"id": "absent"}])
    def test_deliveries_without_an_id_are_deduplicated_by_content_and_time(self, sender, endpoint, no_id):
        first = self.payload() | no_id
        if no_id["id"] == "absent":
            del first["id"]
        data = first["data"]
        later = first | {"triggeredAt": first["triggeredAt"] + 1}
        others = [
            later,
            first | {"event": "applicationCreated"},
            first | {"data": data | {"opportunityId": "another"}},
            first | {"data": data | {"toStageId": "another"}},
        ]
        sent_again = first | {"token": "d" * 48}
        assert self.statuses(sender, endpoint, first, first, sent_again) == [202, 200, 200]
        assert self.statuses(sender, endpoint, *others) == [202] * 4
        assert Delivery.objects.count() == 5

    def test_deliveries_with_an_id_are_deduplicated_by_it_however_they_are_formatted(self, sender, endpoint):
        first = self.payload()
        later = first | {"triggeredAt": first["triggeredAt"] + 60_000, "token": "e" * 48}
        reordered = {name: first[name] for name in sorted(first, reverse=True)}
        assert self.statuses(sender, endpoint, first, later, reordered) == [202, 200, 200]

    def test_an_id_cannot_imitate_the_dedupe_key_of_another_delivery(self, sender, endpoint):
        first = self.payload(id=None)
        data = first["data"]
        imitation = (
            f"event:{first['event']}:{first['triggeredAt']}:{data['opportunityId']}:{data['toStageId']}"
        )
        assert self.statuses(sender, endpoint, first, self.payload(id=imitation[:200])) == [202, 202]

    # the tokens

    @pytest.mark.parametrize("is_retired", [False, True])
    def test_the_previous_token_verifies_deliveries_until_it_expires_or_is_retired(
        self, sender, endpoint, organization, super_admin, is_retired
    ):
        def status(token: str) -> int:
            return self.send(sender, endpoint, self.signed(self.payload(), token)).status_code

        save_main_token(organization, OTHER_TOKEN, super_admin)
        assert status(SIGNATURE_TOKEN) == 202
        webhook = LeverWebhook.objects.get(organization=organization)
        assert (webhook.token_proved_at, webhook.previous_proved_at is None) == (None, False)
        assert status(OTHER_TOKEN) == 202
        if is_retired:
            retire_token(webhook, Generation.PREVIOUS, super_admin)
        else:
            LeverWebhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
            authentication.memory.forget()  # as after a moment
        assert (status(SIGNATURE_TOKEN), status(OTHER_TOKEN)) == (401, 202)

    def test_the_token_of_a_webhook_made_through_the_api_works_beside_the_pasted_one(
        self, sender, endpoint, organization
    ):
        made = LeverWebhookFactory(
            organization=organization, origin=LeverWebhook.Origin.API, signature_token="made-by-the-api"
        )
        assert self.send(sender, endpoint, self.signed(self.payload(), "made-by-the-api")).status_code == 202
        assert self.send(sender, endpoint, self.signed(self.payload(), SIGNATURE_TOKEN)).status_code == 202
        made.refresh_from_db()
        assert made.last_received_at is not None

    @pytest.mark.parametrize(
        ("days", "status"),
        [(-14.9, 202), (-15.1, 401), (0.04, 202), (0.05, 401), (1e300, 401), (-1e300, 401)],
    )
    def test_a_webhook_is_refused_when_it_was_signed_long_ago_or_ahead(self, sender, endpoint, days, status):
        payload = self.payload(triggeredAt=int(time.time() * 1000) + int(days * 86_400_000))
        answer = self.send(sender, endpoint, self.signed(payload))
        assert answer.status_code == status
        if status == 401:
            assert answer.json()["code"] == "timestamp_out_of_range"
            assert not Delivery.objects.exists()
