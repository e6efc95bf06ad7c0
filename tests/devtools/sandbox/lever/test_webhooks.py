import json
from collections.abc import Callable
from typing import Any

import requests

from portal.devtools.sandbox.lever.account import sign
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller, control, press
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE
from tests.devtools.sandbox.receivers import Receiver, wait_until

MakeReceiver = Callable[..., Receiver]


def hook(lever: LeverSandbox, receiver: Receiver) -> Any:
    return control(
        lever, "webhook", {"account": "acme", "event": "candidateStageChange", "url": receiver.url}
    )


def move(lever: LeverSandbox, *opportunities: str, stage: str = "CodeScreen Assessment") -> Any:
    return control(lever, "move", {"account": "acme", "opportunities": list(opportunities), "stage": stage})


def test_the_signature_agrees_with_the_reference():
    key = "0123456789abcdef0123456789abcdef0123456789abcdef"
    expected = "e124bd8e882fa5af01bfaeebaaf018c28ca5c66b5ae1ed4b68a9612ac935512a"
    assert sign(key, "a" * 48, 1700000000000) == expected


def test_a_stage_change_is_sent_signed(lever: LeverSandbox, receivers: MakeReceiver):
    receiver = receivers()
    token = hook(lever, receiver)["signature_token"]
    assert move(lever, ALDER)["moved"] == [ALDER]
    headers, raw = receiver.wait_for(1)[0]
    body = json.loads(raw)
    assert headers["user-agent"] == "Lever-Webhooks"
    assert body["signature"] == sign(token, body["token"], body["triggeredAt"])
    assert body["data"] == {
        "opportunityId": ALDER,
        "candidateId": ALDER,
        "contactId": stable_id("acme", "contact", "Alder"),
        "fromStageId": "applicant-new",
        "toStageId": ASSESSMENT_STAGE,
    }
    assert move(lever, ALDER)["moved"] == []


def test_retries_carry_the_same_body(lever: LeverSandbox, receivers: MakeReceiver):
    receiver = receivers(500, 302, 200)
    hook(lever, receiver)
    move(lever, ALDER)
    bodies = {raw for _, raw in receiver.wait_for(3)}
    assert len(bodies) == 1
    [delivery] = lever.accounts["acme"].events.deliveries
    wait_until(lambda: delivery.state == "delivered")
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 200]


def test_webhooks_made_by_api_send_nothing_until_their_event_is_on(
    lever: LeverSandbox, caller: LeverCaller, receivers: MakeReceiver
):
    receiver = receivers()
    body = {"event": "candidateStageChange", "url": receiver.url}
    made = [caller.post("/webhooks", body) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert len(made[0].json()["data"]["configuration"]["signatureToken"]) == 48
    listed = caller.get("/webhooks").json()
    assert set(listed) == {"data"}
    assert "signatureToken" not in listed["data"][0]["configuration"]
    move(lever, ALDER)
    assert lever.accounts["acme"].events.deliveries == []
    press(lever, "event", event="candidateStageChange", state="on")
    move(lever, ALDER, stage="offer")
    receiver.wait_for(2)
    assert caller.call("DELETE", f"/webhooks/{made[0].json()['data']['id']}").status_code == 204


def test_verify_connection_sends_empty_data_and_shows_the_answer(
    lever: LeverSandbox, receivers: MakeReceiver
):
    receiver = receivers(200, 401)
    made = hook(lever, receiver)
    body = {"account": "acme", "webhook": made["id"]}
    answer = control(lever, "verify", body)
    assert (answer["ok"], answer["status"], answer["error"]) == (True, 200, "")
    sent = json.loads(receiver.requests[0][1])
    assert sent["data"] == {}
    assert "id" not in sent
    assert sent["signature"] == sign(made["signature_token"], sent["token"], sent["triggeredAt"])
    page = press(lever, "verify", here="/acme/settings/webhooks", webhook=made["id"], done="{said}")
    assert "Verification failed: the receiver answered 401" in page


def test_webhooks_are_made_by_hand_on_the_page(lever: LeverSandbox, caller: LeverCaller):
    page = f"{lever.url}/acme/settings/webhooks"
    press(lever, "webhook", event="candidateStageChange", url="http://127.0.0.1:1/hook", state="off")
    assert not lever.accounts["acme"].events.enabled
    [made] = lever.accounts["acme"].events.webhooks.values()
    assert made.signature_token in requests.get(page, timeout=30).text
    assert caller.call("DELETE", f"/webhooks/{made.id}").status_code == 403
    press(lever, "delete-webhook", webhook=made.id)
    assert not lever.accounts["acme"].events.webhooks


def test_lost_webhooks_are_no_deliveries(lever: LeverSandbox, receivers: MakeReceiver):
    hook(lever, receivers())
    control(lever, "settings", {"account": "acme", "webhooks_enabled": False})
    move(lever, ALDER)
    ledger = control(lever, "ledger?account=acme", method="GET")["accounts"]["acme"]
    assert ledger["deliveries"] == []


def test_archiving_hiring_and_deleting_send_their_events(lever: LeverSandbox, receivers: MakeReceiver):
    receiver = receivers()
    for event in ("candidateArchiveChange", "candidateHired", "candidateDeleted"):
        control(lever, "webhook", {"account": "acme", "event": event, "url": receiver.url})
    control(lever, "archive", {"account": "acme", "opportunity": ALDER, "reason": "Hired"})
    control(lever, "delete", {"account": "acme", "opportunity": ALDER})
    events = {json.loads(raw)["event"] for _, raw in receiver.wait_for(3)}
    assert events == {"candidateArchiveChange", "candidateHired", "candidateDeleted"}
