"""E-mails as they leave: the customer's wording, text and HTML, each person apart, with a way out; never a storm."""

import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from integrations.models import CodeScreenConnection, Effect, EmailTemplate, Heartbeat, Membership
from integrations.queue import worker
from integrations.workflow.catalog import sync
from integrations.workflow.email import digests, preferences, templates
from integrations.workflow.email.notify import notify_members
from integrations.workflow.health import incidents
from integrations.workflow.outbox import enqueue
from tests import factories


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(organization=organization, role_title="Backend Engineer")


def tell(organization, key: str = "bounced:1", **more: Any) -> None:
    notify_members(organization, key, "An invitation bounced", ["It came back."], **more)


def work() -> list[Any]:
    Effect.objects.filter(state="due").update(due_at="2020-01-01T00:00:00Z")
    worker.work()
    return mail.outbox


def html(message: Any) -> str:
    [(content, mimetype)] = message.alternatives
    assert mimetype == "text/html"
    return str(content)


def test_everybody_who_wants_it_gets_a_message_of_their_own_with_a_way_out(organization, super_admin):
    factories.member(organization, Membership.Role.ADMIN, "admin")
    tell(organization)
    messages = work()
    assert len(messages) == 2
    for message in messages:
        [address] = message.to
        assert (message.cc, message.bcc) == ([], [])
        link = message.extra_headers["List-Unsubscribe"].strip("<>")
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in message.body
        assert link in html(message)
        found = preferences.read_token(link.rstrip("/").rsplit("/", 1)[1])
        assert found is not None
        assert found[0].user.email == address
        assert found[1] == "trouble"
        assert "It came back." in message.body


def test_the_customers_wording_and_branding_are_taken_when_it_is_sent(organization, super_admin, invitation):
    tell(organization, kind="result", invitation=invitation, variables={"outcome": "Passed", "score": "82"})
    EmailTemplate.objects.create(
        organization=organization,
        kind="result",
        subject="{assessment}: {outcome}",
        body="{score} points\nReason: {reason}\n{unheard} words",
    )
    organization.brand_signature = "Acme <Recruiting>"
    organization.brand_colour = "#123abc"
    organization.save()
    [message] = work()
    assert message.subject == "Backend: Passed"
    assert message.body.startswith("82 points\n{unheard}")
    assert "Reason" not in message.body
    assert "Acme <Recruiting>" in message.body
    assert "Acme &lt;Recruiting&gt;" in html(message)
    assert 'bgcolor="#123abc"' in html(message)


def test_nothing_that_a_platform_says_becomes_markup_or_another_header(organization, super_admin):
    notify_members(
        organization,
        "bounced:1",
        "Bounced\r\nBcc: a@evil.example",
        ["<img src=x onerror=alert(1)> {organization}"],
    )
    [message] = work()
    assert "\n" not in message.subject
    assert "Bcc" not in message.message()
    assert "<img" not in html(message)
    assert "{organization}" in message.body  # what fills a variable isn't read for variables again


def test_who_opted_out_after_it_was_put_gets_nothing(organization, super_admin, team_member):
    tell(organization, kind="result")
    preferences.save_preferences(Membership.objects.get(user=team_member), {"result": False}, team_member)
    assert [message.to for message in work()] == [[super_admin.email]]


def test_nobody_wants_it_and_nothing_waits(organization, super_admin):
    preferences.save_preferences(Membership.objects.get(user=super_admin), {"trouble": False}, super_admin)
    tell(organization)
    assert not Effect.objects.exists()


def test_a_refused_address_does_not_mail_the_others_again(
    organization, super_admin, team_member, monkeypatch
):
    tell(organization, kind="result")
    send = EmailMultiAlternatives.send

    def refuse(message: Any, *args: Any, **kwargs: Any) -> int:
        if message.to == [team_member.email]:
            raise smtplib.SMTPServerDisconnected
        return send(message, *args, **kwargs)

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    work()
    effect = Effect.objects.get()
    assert (effect.state, effect.payload["sent"]) == ("due", [super_admin.email])
    monkeypatch.undo()
    work()
    assert [message.to for message in mail.outbox] == [[super_admin.email], [team_member.email]]
    assert Effect.objects.get().state == "done"


def test_many_uncertain_invitations_are_one_email(organization, super_admin, invitation):
    for number in range(40):
        notify_members(
            organization, f"uncertain:{number}:1", "One", [f"Line {number}."], invitation=invitation
        )
    notify_members(organization, "uncertain:3:1", "One", ["Line 3."], invitation=invitation)
    [message] = work()
    assert message.subject == "Several invitations may or may not have been sent"
    assert all(message.body.count(f"Line {number}.") == 1 for number in range(40))
    notify_members(organization, "uncertain:99:1", "Later", ["Later."], invitation=invitation)
    assert len(work()) == 2


def test_a_key_that_is_accepted_again_is_told_once(organization, super_admin):
    factories.CodeScreenConnectionFactory.create(organization=organization)
    Heartbeat.beat("drain")
    incidents.update_incidents(organization)
    for _ in range(2):
        sync.mark_key_refused(organization, "CodeScreen answered 401")
        incidents.update_incidents(organization)

    class Accepting:
        def assessments(self) -> list[dict[str, str]]:
            return []

    for _ in range(3):
        sync.refresh_assessments(organization, Accepting())  # type: ignore[arg-type]
        incidents.update_incidents(organization)
    assert CodeScreenConnection.objects.get().state == "connected"
    assert [message.subject for message in work()] == [
        "CodeScreen refuses the API key",
        "CodeScreen's API key is no longer refused",
    ]


def test_a_mail_of_before_the_templates_still_goes_out(organization, super_admin):
    enqueue.enqueue(
        organization,
        Effect.Kind.SEND_EMAIL,
        "old",
        payload={"subject": "Old", "lines": ["One.", "Two."], "recipients": [super_admin.email]},
    )
    [message] = work()
    assert message.subject == "Old"
    assert message.body.startswith("One.\n\nTwo.")


def test_a_template_of_an_unknown_variable_is_found_before_it_is_sent():
    assert templates.unknown_variables("forecast", "{days_lft} {end_date}") == [
        "There is no variable {days_lft}. Did you mean {days_left}?"
    ]
    assert templates.fill_in("{a}\n{b}{c}\n\n\n{c}", {"a": "", "b": "", "c": "x"}) == "x\n\nx"


def test_results_stand_alone_while_they_are_few_and_share_an_email_in_a_burst(
    organization, super_admin, invitation
):
    for number in range(digests.RESULTS_APART + 500):
        notify_members(
            organization,
            f"result:{number}:1:1",
            "CodeScreen result: Backend",
            [f"Candidate {number}: Passed, score 80."],
            kind="result",
            variables={"outcome": "Passed"},
            invitation=invitation,
        )
    subjects = [str(message.subject) for message in work()]
    assert subjects.count("CodeScreen result: Backend") == digests.RESULTS_APART
    assert subjects.count("Several CodeScreen results") == 1
    assert len(subjects) == digests.RESULTS_APART + 1
    shared = next(message for message in mail.outbox if message.subject == "Several CodeScreen results")
    assert f"Candidate {digests.RESULTS_APART}: Passed, score 80." in shared.body
    assert f"Candidate {digests.RESULTS_APART + 100}: Passed, score 80." in shared.body
    assert "more: http://testserver/activity/" in shared.body
