"""A person without rights asks the Super Admins: one e-mail a day for each wish, on record, and seen to go out."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from integrations.models import AuditEntry, Effect, Membership
from integrations.queue import worker
from integrations.workflow.email import admin_requests
from tests import factories

ASK = "/ask/"


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_admins_get_one_email_and_the_asker_sees_that_it_went_out(
    colleagues, owner, colleague, organization
):
    second = factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    factories.member(organization, Membership.Role.ADMIN, "admin")
    page = text(colleagues.post(ASK, {"wish": "role", "words": "I help with\nthe chef roles."}, follow=True))
    assert f"Your request is on its way to {owner} and {second}." in page
    assert "on its way</span> “Give me a role that may do more”" in page
    assert Effect.objects.filter(kind="send_email").count() == 1
    worker.work()
    assert sorted(message.to for message in mail.outbox) == sorted([[owner.email], [second.email]])
    assert str(colleague) in mail.outbox[0].subject
    assert "In their words: I help with the chef roles." in str(mail.outbox[0].body)
    assert "http://testserver/settings/" in str(mail.outbox[0].body)
    assert "sent</span> “Give me a role that may do more”" in text(colleagues.get("/settings/"))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (
        colleague,
        "ask admins",
        "Give me a role that may do more",
    )
    assert entry.reason == "I help with the chef roles."


def test_the_same_is_asked_once_a_day_and_something_else_at_once(colleagues, owner):
    colleagues.post(ASK, {"wish": "role"})
    again = text(colleagues.post(ASK, {"wish": "role"}, follow=True))
    assert "within the last day" in again
    assert "(asked already)</option>" in again
    colleagues.post(ASK, {"wish": "settings"})
    assert Effect.objects.count() == AuditEntry.objects.count() == 2
    Effect.objects.update(created_at=timezone.now() - timedelta(hours=25))
    colleagues.post(ASK, {"wish": "role"})
    assert Effect.objects.count() == 3


def test_an_email_that_could_not_be_sent_does_not_count(colleagues, owner):
    colleagues.post(ASK, {"wish": "role"})
    Effect.objects.update(state=Effect.State.FAILED, due_at=None)
    assert "is on its way" in text(colleagues.post(ASK, {"wish": "role"}, follow=True))


def test_who_wants_no_emails_about_trouble_is_asked_all_the_same(colleagues, owner, signed_in):
    signed_in(owner).post("/notifications/", {})
    colleagues.post(ASK, {"wish": "role"})
    worker.work()
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def test_who_is_no_longer_super_admin_when_it_is_sent_gets_nothing(colleagues, owner, organization):
    factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    colleagues.post(ASK, {"wish": "role"})
    Membership.objects.filter(user=owner).update(role=Membership.Role.ADMIN)
    worker.work()
    assert [message.to for message in mail.outbox] == [[f"second-{organization.slug}@portal.example"]]


@pytest.mark.parametrize("wish", ["", "everything"])
def test_a_wish_that_is_none_is_refused(colleagues, owner, wish):
    assert "Choose what you want" in text(colleagues.post(ASK, {"wish": wish}, follow=True))
    assert not Effect.objects.exists()


def test_where_no_super_admin_has_an_address_there_is_no_form(colleagues, owner):
    owner.email = ""
    owner.save()
    assert 'name="wish"' not in text(colleagues.get("/settings/"))
    assert "Talk to them in person" in text(colleagues.post(ASK, {"wish": "role"}, follow=True))


def test_a_super_admin_has_nobody_to_ask(owners):
    assert "You are a Super Admin yourself." in text(owners.post(ASK, {"wish": "role"}, follow=True))


def test_the_page_that_refuses_has_the_form_too(colleagues, owner):
    answer = colleagues.get("/audit/")
    assert answer.status_code == 403
    assert 'action="/ask/"' in text(answer)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_request(colleague, owner):
    member = Membership.objects.get(user=colleague)
    refused = []

    def click() -> None:
        try:
            admin_requests.send_request(member, "role")
        except ValueError as error:
            refused.append(str(error))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert (Effect.objects.count(), len(refused)) == (1, 3)
