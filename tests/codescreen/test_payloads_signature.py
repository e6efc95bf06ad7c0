"""CodeScreen's webhooks are verified as Standard Webhooks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.codescreen.payloads import BadSignature, sign, verify

SECRET = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="


def headers(**changes):
    sent = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1000",
        "webhook-signature": sign("msg_1", "1000", b"{}", SECRET),
    }
    return sent | {name.replace("_", "-"): value for name, value in changes.items()}


def test_verify_refuses_when_the_id_was_shifted_into_the_timestamp():
    with pytest.raises(BadSignature):
        verify(headers(webhook_id="msg_1.1000", webhook_timestamp="1000"), b"{}", SECRET, 1000.0)


@given(st.text(), st.text(), st.text(), st.binary())
def test_verify_refuses_headers_of_any_shape(message_id, timestamp, signature, body):
    sent = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    with pytest.raises(BadSignature):
        verify(sent, body, SECRET, 1000.0)
