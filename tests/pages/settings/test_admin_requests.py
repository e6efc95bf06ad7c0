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
    team_member_client, super_admin, team_member, organization
):
    second = factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    factories.member(organization, Membership.Role.ADMIN, "admin")
    page = text(
        team_member_client.post(ASK, {"wish": "role", "words": "I help with\nthe chef roles."}, follow=True)
    )
    assert f"Your request is on its way to {super_admin} and {second}." in page
    assert "on its way</span> “Give me a role that may do more”" in page
    assert Effect.objects.filter(kind="send_email").count() == 1
    worker.work()
    assert sorted(message.to for message in mail.outbox) == sorted([[super_admin.email], [second.email]])
    assert str(team_member) in mail.outbox[0].subject
    assert "In their words: I help with the chef roles." in str(mail.outbox[0].body)
    assert "http://testserver/settings/" in str(mail.outbox[0].body)
    assert "sent</span> “Give me a role that may do more”" in text(team_member_client.get("/settings/"))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (
        team_member,
        "ask_admins",
        "Give me a role that may do more",
    )
    assert entry.reason == "I help with the chef roles."


def test_the_same_is_asked_once_a_day_and_something_else_at_once(team_member_client, super_admin):
    team_member_client.post(ASK, {"wish": "role"})
    again = text(team_member_client.post(ASK, {"wish": "role"}, follow=True))
    assert "within the last day" in again
    assert "(asked already)</option>" in again
    team_member_client.post(ASK, {"wish": "settings"})
    assert Effect.objects.count() == AuditEntry.objects.count() == 2
    Effect.objects.update(created_at=timezone.now() - timedelta(hours=25))
    team_member_client.post(ASK, {"wish": "role"})
    assert Effect.objects.count() == 3


def test_an_email_that_could_not_be_sent_does_not_count(team_member_client, super_admin):
    team_member_client.post(ASK, {"wish": "role"})
    Effect.objects.update(state=Effect.State.FAILED, due_at=None)
    assert "is on its way" in text(team_member_client.post(ASK, {"wish": "role"}, follow=True))


def test_who_wants_no_emails_about_trouble_is_asked_all_the_same(team_member_client, super_admin, client_for):
    client_for(super_admin).post("/notifications/", {})
    team_member_client.post(ASK, {"wish": "role"})
    worker.work()
    assert [message.to for message in mail.outbox] == [[super_admin.email]]
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def test_who_is_no_longer_super_admin_when_it_is_sent_gets_nothing(
    team_member_client, super_admin, organization
):
    factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    team_member_client.post(ASK, {"wish": "role"})
    Membership.objects.filter(user=super_admin).update(role=Membership.Role.ADMIN)
    worker.work()
    assert [message.to for message in mail.outbox] == [[f"second-{organization.slug}@portal.example"]]


@pytest.mark.parametrize("wish", ["", "everything"])
def test_a_wish_that_is_none_is_refused(team_member_client, super_admin, wish):
    assert "Choose what you want" in text(team_member_client.post(ASK, {"wish": wish}, follow=True))
    assert not Effect.objects.exists()


def test_where_no_super_admin_has_an_address_there_is_no_form(team_member_client, super_admin):
    super_admin.email = ""
    super_admin.save()
    assert 'name="wish"' not in text(team_member_client.get("/settings/"))
    assert "Talk to them in person" in text(team_member_client.post(ASK, {"wish": "role"}, follow=True))


def test_a_super_admin_has_nobody_to_ask(super_admin_client):
    assert "You are a Super Admin yourself." in text(
        super_admin_client.post(ASK, {"wish": "role"}, follow=True)
    )


def test_the_page_that_refuses_has_the_form_too(team_member_client, super_admin):
    answer = team_member_client.get("/audit/")
    assert answer.status_code == 403
    assert 'action="/ask/"' in text(answer)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_request(team_member, super_admin):
    member = Membership.objects.get(user=team_member)
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
