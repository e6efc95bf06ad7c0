"""The pretend mail server: what it takes, and its pages."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import requests

from portal.devtools.sandbox.mail import MailSandbox

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
