"""The pretend chat room: the portal's own way to post leads to it, without a change of the portal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integrations.http.session import PlatformError
from integrations.notifications import alerts
from integrations.notifications.models.email_kind import Link
from integrations.notifications.rendering import render
from portal.devtools.certificates import write_certificate
from portal.devtools.sandbox.chat import SLACK, WEBHOOK_URL
from portal.devtools.sandbox.mail import MailSandbox
from portal.devtools.sandbox.server import HOST


@pytest.fixture
def chat(tmp_path: Path, monkeypatch) -> Iterator[MailSandbox]:
    """The mail server with its chat room, and the variables by which a process is led there."""
    certificate = tmp_path / "chat.pem"
    write_certificate(certificate, SLACK)
    server = MailSandbox(certificate=certificate).start()
    monkeypatch.setenv("https_proxy", f"http://{HOST}:{server.chat_port}")
    monkeypatch.setenv("no_proxy", HOST)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    yield server
    server.stop()


def page(chat: MailSandbox) -> str:
    return requests.get(f"{chat.url}/chat", timeout=30).text


def test_an_alert_of_the_portal_is_shown_when_the_room_is_the_pretend_one(chat: MailSandbox) -> None:
    assert "No message was posted yet." in page(chat)
    alerts.check_chat_url(WEBHOOK_URL)
    lines = ("Score 82 <of> 100", Link("Open", "https://portal.example/?a=1&b=2"))
    alerts.post(WEBHOOK_URL, render("Größte & erste: Passed", lines))
    shown = page(chat)
    assert "Größte &amp; erste: Passed</h2>" in shown
    assert "Score 82 &lt;of&gt; 100" in shown
    assert '<a href="https://portal.example/?a=1&amp;b=2">Open</a>' in shown
    assert WEBHOOK_URL in shown


def test_a_room_that_is_unknown_is_gone_as_slack_says_it(chat: MailSandbox) -> None:
    with pytest.raises(PlatformError) as raised:
        alerts.post(f"https://{SLACK}/services/T0DEMO/B0DEMO/another", render("Passed", ()))
    assert raised.value.status == 404
    assert "No message was posted yet." in page(chat)
