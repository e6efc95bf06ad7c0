"""CodeScreen's webhooks as the sandbox sends them."""

import base64
import json

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.webhooks import new_secret, sign
from tests.devtools.sandbox.callers import control
from tests.devtools.sandbox.codescreen.calls import act, invite


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
