"""The pretend mail server: what it takes, its pages, and its chat room."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
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

HTML = "<html><head><title>x</title></head><body><b>Passed</b> <a href='http://127.0.0.1/'>open</a></body></html>"


@pytest.fixture
def mail() -> Iterator[MailSandbox]:
    server = MailSandbox().start()
    yield server
    server.stop()


def send(
    mail: MailSandbox, subject: str = "Alder: Passed 82", text: str = "Passed <82>\n.\nThe end\n"
) -> str:
    """Send an e-mail over SMTP; return the id that it has in the mailbox."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@localhost", "demo@acme.example", subject
    message.set_content(text)
    message.add_alternative(HTML, subtype="html")
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=30) as server:
        server.send_message(message)
    return mail.mailbox.emails[0].id


def test_an_email_is_kept_whole_when_it_has_a_line_of_a_single_dot(mail: MailSandbox):
    send(mail, "Größe: 82 (Backend)")
    [email] = mail.mailbox.emails
    assert email.subject == "Größe: 82 (Backend)"
    assert email.recipients == "demo@acme.example"
    assert email.text.splitlines() == ["Passed <82>", ".", "The end"]
    assert email.html.strip() == HTML


def test_an_email_shows_its_text_escaped_and_its_html_in_a_frame_without_scripts(mail: MailSandbox):
    email_id = send(mail)
    page = requests.get(f"{mail.url}/emails/{email_id}", timeout=30).text
    assert "Passed &lt;82&gt;" in page
    assert f'src="/emails/{email_id}/html"' in page
    assert "allow-scripts" not in page
    framed = requests.get(f"{mail.url}/emails/{email_id}/html", timeout=30)
    assert '<head><base target="_blank">' in framed.text
    policy = framed.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy


# the chat room: the portal's own way to post leads to it, without a change of the portal


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
