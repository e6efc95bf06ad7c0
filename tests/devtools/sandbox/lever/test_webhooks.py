import json
from typing import Any

import requests

from portal.devtools.processes import wait_until
from portal.devtools.sandbox.lever.account import sign
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller, control, press
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE

STAGE_CHANGE = "candidateStageChange"


def listen(lever: LeverSandbox, url: str, event: str = STAGE_CHANGE) -> Any:
    return control(lever, "webhook", {"account": "acme", "event": event, "url": url})


def move(lever: LeverSandbox, stage: str = "CodeScreen Assessment") -> Any:
    moved = control(lever, "move", {"account": "acme", "opportunities": [ALDER], "stage": stage})
    return moved["moved"]


def test_a_stage_change_is_sent_signed(lever: LeverSandbox, hook, received):
    token = listen(lever, hook())["signature_token"]
    assert move(lever) == [ALDER]
    [(headers, raw)] = received(1)
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
    assert move(lever) == []


def test_retries_carry_the_same_body(lever: LeverSandbox, hook, received):
    listen(lever, hook(500, 302, 200))
    move(lever)
    assert len({raw for _, raw in received(3)}) == 1
    [delivery] = lever.accounts["acme"].events.deliveries
    wait_until(lambda: delivery.state == "delivered", 5, "the last attempt failed")
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 200]


def test_webhooks_made_by_api_send_nothing_until_their_event_is_on(
    lever: LeverSandbox, caller: LeverCaller, hook, received
):
    body = {"event": STAGE_CHANGE, "url": hook()}
    made = [caller.post("/webhooks", body) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert len(made[0].json()["data"]["configuration"]["signatureToken"]) == 48
    listed = caller.get("/webhooks").json()
    assert set(listed) == {"data"}
    assert "signatureToken" not in listed["data"][0]["configuration"]
    move(lever)
    assert lever.accounts["acme"].events.deliveries == []
    press(lever, "event", event=STAGE_CHANGE, state="on")
    move(lever, "offer")
    received(2)
    assert caller.call("DELETE", f"/webhooks/{made[0].json()['data']['id']}").status_code == 204


def test_verify_connection_sends_empty_data_and_shows_the_answer(lever: LeverSandbox, hook, received):
    made = listen(lever, hook(200, 401))
    answer = control(lever, "verify", {"account": "acme", "webhook": made["id"]})
    assert (answer["ok"], answer["status"], answer["error"]) == (True, 200, "")
    [(_, raw)] = received(1)
    sent = json.loads(raw)
    assert sent["data"] == {}
    assert "id" not in sent
    assert sent["signature"] == sign(made["signature_token"], sent["token"], sent["triggeredAt"])
    page = press(lever, "verify", here="/acme/settings/webhooks", webhook=made["id"], done="{said}")
    assert "Verification failed: the receiver answered 401" in page


def test_webhooks_are_made_by_hand_on_the_page(lever: LeverSandbox, caller: LeverCaller):
    press(lever, "webhook", event=STAGE_CHANGE, url="http://127.0.0.1:1/hook", state="off")
    assert not lever.accounts["acme"].events.enabled
    [made] = lever.accounts["acme"].events.webhooks.values()
    assert made.signature_token in requests.get(f"{lever.url}/acme/settings/webhooks", timeout=30).text
    assert caller.call("DELETE", f"/webhooks/{made.id}").status_code == 403
    press(lever, "delete-webhook", webhook=made.id)
    assert not lever.accounts["acme"].events.webhooks


def test_lost_webhooks_are_no_deliveries(lever: LeverSandbox, hook):
    listen(lever, hook())
    control(lever, "settings", {"account": "acme", "webhooks_enabled": False})
    move(lever)
    ledger = control(lever, "ledger?account=acme", method="GET")["accounts"]["acme"]
    assert ledger["deliveries"] == []


def test_archiving_hiring_and_deleting_send_their_events(lever: LeverSandbox, hook, received):
    expected = {"candidateArchiveChange", "candidateHired", "candidateDeleted"}
    for event in expected:
        listen(lever, hook(), event)
    control(lever, "archive", {"account": "acme", "opportunity": ALDER, "reason": "Hired"})
    control(lever, "delete", {"account": "acme", "opportunity": ALDER})
    assert {json.loads(raw)["event"] for _, raw in received(3)} == expected
