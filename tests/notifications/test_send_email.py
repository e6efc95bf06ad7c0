"""Sending: text and HTML, each person a message with a link to unsubscribe."""

import email.policy
import smtplib
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.notifications.acts import choose_emails
from integrations.notifications.models.email_kind import EmailKind, EmailTopic, read_token
from integrations.notifications.notices import EmailPayload
from integrations.notifications.notify import enqueue_email
from integrations.outbox.kinds.email import NO_LONGER_WANTED, WholeAddresses
from integrations.outbox.models.effect import Effect
from tests.notifications.outgoing import html_of, notify, send_all
from tests.support import factories


def test_each_recipient_gets_a_message_with_an_unsubscribe_link(organization, super_admin):
    factories.member(organization, Membership.Role.ADMIN, "admin")
    notify(organization)
    messages = send_all()
    assert len(messages) == 2
    for message in messages:
        [address] = message.to
        assert (message.cc, message.bcc) == ([], [])
        link = message.extra_headers["List-Unsubscribe"].strip("<>")
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in message.body
        assert link in html_of(message)
        unsubscription = read_token(link.rstrip("/").rsplit("/", 1)[1])
        assert unsubscription is not None
        member, kind = unsubscription
        assert member.user.email == address
        assert kind == EmailKind.PROBLEMS
        assert "CodeScreen refused it." in message.body


def test_texts_of_others_become_neither_markup_nor_a_header(organization, super_admin):
    notify(organization, subject="Not sent\r\nBcc: a@evil.example", lines=["<img src=x onerror=alert(1)>"])
    organization.name = "Acme <Recruiting>"  # as it is called when it is sent
    organization.save()
    [message] = send_all()
    assert "Acme <Recruiting>" in message.body
    assert "Acme &lt;Recruiting&gt;" in html_of(message)
    assert "\n" not in message.subject
    assert "Bcc" not in message.message()
    assert "<img" not in html_of(message)


def test_a_member_who_unsubscribed_after_it_was_enqueued_gets_nothing(organization, super_admin, team_member):
    notify(organization, EmailTopic.RESULT)
    member = Membership.objects.get(user=team_member)
    choose_emails(member, {EmailKind.RESULTS: False}, team_member)
    assert [message.to for message in send_all()] == [[super_admin.email]]


def test_a_retry_after_a_refused_address_skips_those_who_have_it(
    organization, super_admin, team_member, monkeypatch
):
    notify(organization, EmailTopic.RESULT)
    send = EmailMultiAlternatives.send

    def refuse(message: Any, *args: Any, **kwargs: Any) -> int:
        if message.to == [team_member.email]:
            raise smtplib.SMTPServerDisconnected
        return send(message, *args, **kwargs)

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    send_all()
    effect = Effect.objects.get()
    assert (effect.state, effect.payload["sent_to"]) == ("due", [super_admin.email])
    monkeypatch.undo()
    messages = send_all()
    assert [message.to for message in messages] == [[super_admin.email], [team_member.email]]
    assert Effect.objects.get().state == "done"


def test_a_payload_emptied_by_retention_is_sent_to_nobody(organization, super_admin):
    for topic in EmailTopic:
        enqueue_email(organization, topic, "1", EmailPayload())
    assert send_all() == []
    assert set(Effect.objects.values_list("state", flat=True)) == {"done", "cancelled"}


def test_the_admin_says_why_an_e_mail_was_not_sent_that_was_for_something_over(
    organization, super_admin, admin_client
):
    payload = EmailPayload(recipients=("recruiter@acme.example",), pending_membership=1)
    enqueue_email(organization, EmailTopic.WELCOME, "1", payload)
    assert send_all() == []
    effect = Effect.objects.get()
    assert (effect.state, effect.reason) == ("cancelled", NO_LONGER_WANTED)
    page = admin_client.get(reverse("admin:integrations_effect_change", args=[effect.pk]))
    assert NO_LONGER_WANTED in page.text


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
