import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from portal.devtools.sandbox.codescreen import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.signature import new_secret, sign
from portal.devtools.sandbox.seed import default_seed
from tests.devtools.sandbox.callers import control
from tests.devtools.sandbox.receivers import Receiver

KEY = default_seed()["codescreen"]["accounts"]["acme"]["api_key"]


def call(
    server: CodeScreenSandbox, method: str, path: str, body: Any = None, **headers: str
) -> requests.Response:
    known = {"Authorization": f"apiKey {KEY}"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return requests.request(method, f"{server.api_url}{path}", json=body, headers=known, timeout=5)


def assessment(server: CodeScreenSandbox, name: str = "Backend") -> Any:
    listed = call(server, "GET", "/assessments").json()
    assert all(set(item) == {"assessmentId", "assessmentName"} for item in listed)
    return next(item["assessmentId"] for item in listed if item["assessmentName"] == name)


def invitation(server: CodeScreenSandbox, name: str = "Backend", **more: str) -> dict[str, str]:
    return {
        "assessmentId": assessment(server, name),
        "firstName": "Candidate",
        "lastName": "Alder",
        "email": "alder@candidates.example",
    } | more


def invite(server: CodeScreenSandbox, name: str = "Backend", **more: str) -> Any:
    response = call(server, "POST", "/assessments", invitation(server, name, **more))
    assert response.status_code == 200
    assert set(response.json()) == {"assessmentInstanceId"}
    return response.json()["assessmentInstanceId"]


def status(server: CodeScreenSandbox, instance: str) -> Any:
    return call(server, "GET", f"/assessments/{instance}").json()


def act(server: CodeScreenSandbox, instance: str, action: Any, **verdict: Any) -> Any:
    return control(server, "candidate", {"instance": instance, "action": action, **verdict})


def test_the_published_calls_alone(codescreen: CodeScreenSandbox):
    control(codescreen, "settings", {"account": "acme", "metadata": False})
    instance = invite(codescreen)
    assert status(codescreen, instance) == {"status": "Not_Started", "metadata": {}}
    act(codescreen, instance, ["start", "submit"])
    assert status(codescreen, instance)["status"] == "In_Progress"
    act(codescreen, instance, "evaluate", score=75, result="Failed")
    done = status(codescreen, instance)
    assert (done["status"], done["score"]) == ("Complete", 75)
    assert set(done["metadata"]) == {"issueCount"}
    assert "75" in requests.get(done["result_url"], timeout=5).text


def test_metadata_tells_result_reason_attempt_and_times(codescreen: CodeScreenSandbox):
    instance = invite(codescreen, externalId="lever:opp-1")
    act(codescreen, instance, ["start", "submit", "evaluate"], score=75, result="Failed")
    told = status(codescreen, instance)["metadata"]
    assert (told["result"], told["failureReason"], told["attempt"]) == ("Failed", "Unit Tests", 1)
    assert (told["externalId"], told["unitTestsPassed"], told["unitTestsTotal"]) == ("lever:opp-1", 15, 20)
    assert told["evaluatedAt"].endswith("Z")
    act(codescreen, instance, "regrade", score=100, result="Passed")
    told = status(codescreen, instance)["metadata"]
    assert (told["result"], told["attempt"]) == ("Passed", 2)
    assert "failureReason" not in told


@pytest.mark.parametrize("reason", ["Build Failure", "Build Timeout"])
def test_there_is_no_score_where_no_test_ran(codescreen: CodeScreenSandbox, reason: str):
    instance = invite(codescreen)
    act(codescreen, instance, ["start", "submit", "evaluate"], score=50, result="Failed", reason=reason)
    assert "score" not in status(codescreen, instance)


def test_expiry_reopening_bounce_and_deletion(codescreen: CodeScreenSandbox):
    instance = invite(codescreen)
    act(codescreen, instance, "bounce")
    act(codescreen, instance, "expire")
    gone = status(codescreen, instance)
    assert (gone["status"], gone["metadata"]["result"]) == ("Complete", "Expired")
    assert "score" not in gone
    act(codescreen, instance, "reopen")
    assert status(codescreen, instance)["status"] == "Not_Started"
    act(codescreen, instance, ["start", "submit", "evaluate"], score=10, result="Failed")
    act(codescreen, instance, "reopen")
    assert status(codescreen, instance)["status"] == "In_Progress"
    act(codescreen, instance, "delete")
    assert call(codescreen, "GET", f"/assessments/{instance}").status_code == 404


def test_errors(codescreen: CodeScreenSandbox):
    bad = requests.get(
        f"{codescreen.api_url}/assessments", headers={"Authorization": f"Bearer {KEY}"}, timeout=5
    )
    assert (bad.status_code, bad.json()["error"]["code"]) == (401, "unauthorized")
    assert call(codescreen, "GET", "/assessments/nothing").status_code == 404
    assert call(codescreen, "GET", "/nothing").status_code == 404
    for wrong in ({"email": "nobody"}, {"lastName": ""}, {"assessmentId": "none"}):
        assert call(codescreen, "POST", "/assessments", invitation(codescreen, **wrong)).status_code == 422
    raw = requests.post(
        f"{codescreen.api_url}/assessments", data="{", headers={"Authorization": f"apiKey {KEY}"}, timeout=5
    )
    assert raw.status_code == 400


def test_idempotency_and_conflicts_are_off_until_switched_on(codescreen: CodeScreenSandbox):
    body = invitation(codescreen)

    def send(sent: dict[str, str], key: str) -> requests.Response:
        return call(codescreen, "POST", "/assessments", sent, Idempotency_Key=key)

    assert send(body, "k").json() != send(body, "k").json()
    control(codescreen, "settings", {"account": "acme", "idempotency": True})
    first = send(body, "k").json()
    assert send(body, "k").json() == first
    assert send(body | {"lastName": "Other"}, "k").status_code == 422
    control(codescreen, "settings", {"account": "acme", "conflict_409": True})
    refused = send(body, "another")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "already_invited"
    assert refused.json()["assessmentInstanceId"]
    [entry] = control(codescreen, "ledger?account=acme", method="GET")["accounts"]["acme"]["invitations"]
    assert (entry["emails_sent"], len(entry["instances"])) == (3, 3)


def test_the_candidate_page_shows_the_mail_and_takes_the_candidate_along(codescreen: CodeScreenSandbox):
    instance = invite(codescreen, firstName="{lastName}")
    page = f"{codescreen.url}/acme/candidates/{instance}"
    assert "invites you to take the Backend assessment" in requests.get(page, timeout=5).text
    assert "The candidate started" in requests.post(page, data={"action": "start"}, timeout=5).text
    assert "not not started" in requests.post(page, data={"action": "start"}, timeout=5).text
    evaluated = {"action": "evaluate", "score": "90", "result": "Passed"}
    assert "was evaluated" in requests.post(page, data=evaluated, timeout=5).text
    assert status(codescreen, instance)["score"] == 90
    for path in ("assessments", "candidates", "settings"):
        assert requests.get(f"{codescreen.url}/acme/{path}", timeout=5).status_code == 200


def test_the_webhook_signature_agrees_with_the_reference():
    body = (
        b'{"type":"candidate.evaluated","timestamp":"2024-05-02T10:31:07.000Z","data":'
        b'{"assessmentInstanceId":"1b68dc27-6155-41c2-89e3-4e00bd62d227",'
        b'"assessmentId":"af401f8e-24d9-4889-ad8b-39cc8366b0ac","externalId":"lever:opp-1",'
        b'"status":"Complete","sequence":4}}'
    )
    secret = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="
    expected = "v1,K5ZnLFic3fzgCEGkt8L66zDneyg2pGkyOks47+CXl0E="
    assert sign(secret, "msg_01HX0000000000000000000004", 1714645867, body) == expected


def test_webhooks_are_thin_signed_and_numbered(
    codescreen: CodeScreenSandbox, receivers: Callable[..., Receiver]
):
    receiver = receivers(503, 202)
    secret = new_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    switches = {"webhook_url": receiver.url, "webhook_secret": secret, "webhook_retry_delays": [0.05]}
    control(codescreen, "settings", {"account": "acme"} | switches)
    instance = invite(codescreen)
    receiver.wait_for(2)
    act(codescreen, instance, ["start", "submit", "evaluate"], score=75, result="Passed")
    sent = receiver.wait_for(5)
    assert sent[0][0]["webhook-id"] == sent[1][0]["webhook-id"]
    for headers, raw in sent:
        stamp = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == sign(secret, headers["webhook-id"], stamp, raw)
        assert b"alder" not in raw
    bodies = {json.loads(raw)["type"]: json.loads(raw)["data"] for _, raw in sent}
    assert set(bodies) == {
        "candidate.invited",
        "candidate.started",
        "candidate.submitted",
        "candidate.evaluated",
    }
    assert bodies["candidate.evaluated"]["sequence"] == 4
