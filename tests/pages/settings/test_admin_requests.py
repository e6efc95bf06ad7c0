"""A member asks the Super Admins: one e-mail a day for each request, audited, its progress shown."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import SENT_ALREADY, send_request
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

ASK = "/ask/"


def test_super_admins_get_one_email_and_the_member_sees_that_it_was_sent(
    team_member_client, super_admin, team_member, organization
):
    second = factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    factories.member(organization, Membership.Role.ADMIN, "admin")
    page = text(
        team_member_client.post(
            ASK, {"request": "role", "message": "I help with\nthe chef roles."}, follow=True
        )
    )
    assert f"Your request is on its way to {super_admin} and {second}." in page
    assert "on its way</span> “Give me a role with more rights”" in page
    assert Effect.objects.filter(kind="send_email").count() == 1
    worker.work()
    assert sorted(message.to for message in mail.outbox) == sorted([[super_admin.email], [second.email]])
    assert str(team_member) in mail.outbox[0].subject
    assert "In their words: I help with the chef roles." in str(mail.outbox[0].body)
    assert "http://testserver/settings/" in str(mail.outbox[0].body)
    assert "sent</span> “Give me a role with more rights”" in text(team_member_client.get("/settings/"))
    entry = recorded().get()
    assert (entry.actor, entry.action, entry.target) == (
        team_member,
        "ask_admins",
        "Give me a role with more rights",
    )
    assert entry.reason == "I help with the chef roles."


def test_the_same_request_is_sent_once_a_day_and_another_one_at_once(team_member_client, super_admin):
    team_member_client.post(ASK, {"request": "role"})
    again = text(team_member_client.post(ASK, {"request": "role"}, follow=True))
    assert "within the last day" in again
    assert "(asked already)</option>" in again
    team_member_client.post(ASK, {"request": "settings"})
    assert Effect.objects.count() == recorded().count() == 2
    Effect.objects.update(created_at=timezone.now() - timedelta(hours=25))
    team_member_client.post(ASK, {"request": "role"})
    assert Effect.objects.count() == 3


def test_another_members_request_does_not_count(team_member_client, super_admin, organization, client_for):
    team_member_client.post(ASK, {"request": "role"})
    other = factories.member(organization, Membership.Role.ADMIN, "other")
    assert "is on its way" in text(client_for(other).post(ASK, {"request": "role"}, follow=True))
    assert Effect.objects.values("member").distinct().count() == 2


def test_a_request_can_be_repeated_when_its_email_failed(team_member_client, super_admin):
    team_member_client.post(ASK, {"request": "role"})
    Effect.objects.update(state=Effect.State.FAILED, due_at=None)
    assert "is on its way" in text(team_member_client.post(ASK, {"request": "role"}, follow=True))


def test_a_super_admin_who_unsubscribed_from_everything_still_gets_requests(
    team_member_client, super_admin, client_for
):
    client_for(super_admin).post("/notifications/", {})
    team_member_client.post(ASK, {"request": "role"})
    worker.work()
    assert [message.to for message in mail.outbox] == [[super_admin.email]]
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def test_a_super_admin_who_lost_the_role_before_sending_gets_nothing(
    team_member_client, super_admin, organization
):
    factories.member(organization, Membership.Role.SUPER_ADMIN, "second")
    team_member_client.post(ASK, {"request": "role"})
    Membership.objects.filter(user=super_admin).update(role=Membership.Role.ADMIN)
    worker.work()
    assert [message.to for message in mail.outbox] == [[f"second-{organization.slug}@portal.example"]]


@pytest.mark.parametrize("code", ["", "everything"])
def test_an_unknown_request_is_refused(team_member_client, super_admin, code):
    assert "Choose what you want" in text(team_member_client.post(ASK, {"request": code}, follow=True))
    assert not Effect.objects.exists()


def test_where_no_super_admin_has_an_address_there_is_no_form(team_member_client, super_admin):
    super_admin.email = ""
    super_admin.save()
    assert 'name="request"' not in text(team_member_client.get("/settings/"))
    assert "Please ask one in person" in text(team_member_client.post(ASK, {"request": "role"}, follow=True))


def test_a_super_admin_cannot_ask_super_admins(super_admin_client):
    assert "You are a Super Admin yourself." in text(
        super_admin_client.post(ASK, {"request": "role"}, follow=True)
    )


def test_the_forbidden_page_has_the_form_too(team_member_client, super_admin):
    answer = team_member_client.get("/audit/")
    assert answer.status_code == 403
    assert 'action="/ask/"' in text(answer)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_request(team_member, super_admin):
    member = Membership.objects.get(user=team_member)
    refusals: list[str] = []

    def click() -> None:
        try:
            send_request(member, "role")
        except ActionNotAllowed as error:
            refusals.append(str(error))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert (Effect.objects.count(), refusals) == (1, [SENT_ALREADY] * 3)
