"""CodeScreen's webhooks as the sandbox sends them."""

import base64
import json

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.webhooks import new_secret, sign
from tests.devtools.sandbox.callers import control
from tests.devtools.sandbox.codescreen.calls import act, invite


def test_the_signature_agrees_with_the_reference():
    body = (
        b'{"type":"candidate.evaluated","timestamp":"2024-05-02T10:31:07.000Z","data":'
        b'{"assessmentInstanceId":"1b68dc27-6155-41c2-89e3-4e00bd62d227",'
        b'"assessmentId":"af401f8e-24d9-4889-ad8b-39cc8366b0ac","externalId":"lever:opp-1",'
        b'"status":"Complete","sequence":4}}'
    )
    secret = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="
    expected = "v1,K5ZnLFic3fzgCEGkt8L66zDneyg2pGkyOks47+CXl0E="
    assert sign(secret, "msg_01HX0000000000000000000004", 1714645867, body) == expected


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
