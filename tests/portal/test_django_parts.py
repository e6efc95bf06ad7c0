"""Without a mail server a public portal prints nothing of an e-mail, and the e-mail stays due."""

import pytest
from django.core.mail import EmailMessage

from portal.django_parts import RefusingEmailBackend


def test_a_message_is_refused_as_by_an_unreachable_server_and_not_printed(capfd):
    message = EmailMessage(
        "Subject", "https://portal.example/accounts/password/reset/key/2-a/", to=["a@b.example"]
    )
    with pytest.raises(OSError, match="Set EMAIL_URL"):
        RefusingEmailBackend(alias="default").send_messages([message])
    assert capfd.readouterr() == ("", "")
