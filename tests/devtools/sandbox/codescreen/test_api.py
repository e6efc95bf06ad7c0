"""The pretend CodeScreen's API and its webhooks."""

import base64
import json

import pytest
import requests

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.webhooks import new_secret, sign
from tests.devtools.sandbox.callers import control
from tests.devtools.sandbox.codescreen.calls import KEY, act, call, invitation, invite, status


@pytest.fixture
def stating(codescreen: CodeScreenSandbox) -> None:
    """Have the account ask CodeScreen for the metadata extension."""
    control(codescreen, "settings", {"account": "acme", "metadata": True})


def test_an_account_answers_only_what_is_published_and_has_no_webhook_by_default(
    codescreen: CodeScreenSandbox,
):
    for account in codescreen.platform.accounts.values():
        assert (account.settings.webhook_url, account.deliveries) == ("", [])
    instance = invite(codescreen)
    assert status(codescreen, instance) == {"status": "Not_Started", "metadata": {}}
    act(codescreen, instance, ["start", "submit"])
    assert status(codescreen, instance)["status"] == "In_Progress"
    act(codescreen, instance, "evaluate", score=75, result="Failed")
    done = status(codescreen, instance)
    assert (done["status"], done["score"]) == ("Complete", 75)
    assert set(done["metadata"]) == {"issueCount"}
    assert "75" in requests.get(done["result_url"], timeout=30).text


@pytest.mark.usefixtures("stating")
def test_metadata_holds_result_reason_attempt_and_times(codescreen: CodeScreenSandbox):
    instance = invite(codescreen)
    act(codescreen, instance, ["start", "submit", "evaluate"], score=75, result="Failed")
    metadata = status(codescreen, instance)["metadata"]
    assert (metadata["result"], metadata["failureReason"], metadata["attempt"]) == ("Failed", "Unit Tests", 1)
    assert (metadata["unitTestsPassed"], metadata["unitTestsTotal"]) == (15, 20)
    assert metadata["evaluatedAt"].endswith("Z")
    act(codescreen, instance, "regrade", score=100, result="Passed")
    metadata = status(codescreen, instance)["metadata"]
    assert (metadata["result"], metadata["attempt"]) == ("Passed", 2)
    assert "failureReason" not in metadata


@pytest.mark.parametrize("reason", ["Build Failure", "Build Timeout"])
def test_the_score_is_missing_when_no_test_ran(codescreen: CodeScreenSandbox, reason: str):
    instance = invite(codescreen)
    act(codescreen, instance, ["start", "submit", "evaluate"], score=50, result="Failed", reason=reason)
    assert "score" not in status(codescreen, instance)


@pytest.mark.usefixtures("stating")
def test_a_candidate_bounces_expires_is_reopened_and_deleted(codescreen: CodeScreenSandbox):
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


def test_a_faulty_request_is_refused(codescreen: CodeScreenSandbox):
    bad = requests.get(
        f"{codescreen.api_url}/assessments", headers={"Authorization": f"Bearer {KEY}"}, timeout=30
    )
    assert (bad.status_code, bad.json()["error"]["code"]) == (401, "unauthorized")
    assert call(codescreen, "GET", "/assessments/nothing").status_code == 404
    assert call(codescreen, "GET", "/nothing").status_code == 404
    for wrong in ({"email": "nobody"}, {"lastName": ""}, {"assessmentId": "none"}):
        assert call(codescreen, "POST", "/assessments", invitation(codescreen, **wrong)).status_code == 422
    raw = requests.post(
        f"{codescreen.api_url}/assessments", data="{", headers={"Authorization": f"apiKey {KEY}"}, timeout=30
    )
    assert raw.status_code == 400


# webhooks


def test_webhooks_are_signed_numbered_and_without_personal_data(
    codescreen: CodeScreenSandbox, hook, received
):
    secret = new_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    settings = {"webhook_url": hook(503, 202), "webhook_secret": secret, "webhook_retry_delays": [0.05]}
    control(codescreen, "settings", {"account": "acme"} | settings)
    instance = invite(codescreen)
    received(2)
    act(codescreen, instance, ["start", "submit", "evaluate"], score=75, result="Passed")
    sent = received(5)
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
