"""The bytes of a message: mail programs read the address to unsubscribe."""

import email.policy

import pytest

from integrations.workflow.email.message import WholeAddresses

ADDRESS = "https://portal.example/unsubscribe/" + "a1B2:" * 60 + "/"


@pytest.mark.parametrize("policy", [email.policy.default, email.policy.SMTP])
def test_the_address_to_unsubscribe_is_sent_in_one_piece(policy) -> None:
    headers = {"List-Unsubscribe": f"<{ADDRESS}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = WholeAddresses("Über " * 30, "Text", to=["a@b.example"], headers=headers)
    message.attach_alternative("<p>Text</p>", "text/html")
    sent = message.message(policy=policy).as_bytes()
    line = f"List-Unsubscribe: <{ADDRESS}>{policy.linesep}"
    assert line.encode() in sent
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in sent
    assert max(len(part) for part in sent.splitlines()) < 998
    assert b"Subject: =?utf-8?" in sent


def test_a_line_break_in_the_address_is_refused() -> None:
    message = WholeAddresses(
        "Subject", "Text", to=["a@b.example"], headers={"List-Unsubscribe": "<x>\nBcc: y@z"}
    )
    with pytest.raises(ValueError, match="linefeed"):
        message.message()
