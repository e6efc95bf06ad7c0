"""Passwords: forgotten, chosen through a link that works once, and changed."""

import re
import time
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.contrib.auth.models import User
from django.core import signing
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.accounts.models.attempts import AttemptLimit, PasswordLinkRequest
from integrations.members.models.membership import Membership
from integrations.notifications import link_emails
from integrations.notifications.link_emails import choose_password_link
from integrations.notifications.notify import enqueue_email
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.at_once import run_at_once
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.page_text import text
from tests.support.second_factors import PASSWORD, forget_proofs, sign_in

FORGOTTEN, CHANGE = "/accounts/password/reset/", "/accounts/password/change/"
NEW = "seven green bicycles"


def ask(address: str) -> Any:
    """Ask for a link, and let a worker look for members."""
    answer = Client().post(FORGOTTEN, {"email": address})
    link_emails.answer_requests()
    return answer


def links() -> list[str]:
    """Return the links in the e-mails that are sent now."""
    return [
        link
        for message in sent_emails()
        for link in re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", str(message.body))
    ]


def choose(link: str, password: str = NEW) -> tuple[Client, Any]:
    client = Client()
    page = client.get(link, follow=True)
    return client, client.post(page.request["PATH_INFO"], {"password1": password, "password2": password})


def works(link: str) -> bool:
    return "no longer works" not in Client().get(link, follow=True).content.decode()


# the link that is sent


def test_the_link_leads_to_a_new_password_once(super_admin):
    stolen = Client()
    sign_in(stolen, super_admin)
    assert f'href="{FORGOTTEN}"' in Client().get("/accounts/login/").content.decode()
    assert ask(super_admin.email.upper())["Location"] == f"{FORGOTTEN}done/"
    [link] = links()
    [message] = sent_emails()
    assert message.to == [super_admin.email]
    assert f"Your user name is {super_admin.username}." in str(message.body)
    assert "within one hour" in str(message.body)
    client, answer = choose(link)
    assert (answer["Location"], client.get("/").status_code) == ("/", 200)
    assert stolen.get("/account/").status_code == 302
    assert not works(link)
    told = sent_emails()[-1]
    assert told.subject == "Your password for the CodeScreen–Lever portal was changed"
    assert f"http://testserver{FORGOTTEN}" in str(told.body)
    entries = recorded().filter(action__in=["reset_password", "sign_in"]).order_by("-pk")[:2]
    assert [entry.changes for entry in entries] == [
        {"method": ["", "link to choose a password"], "address": ["", "127.0.0.1"]},
        {"password": ["set", "set"], "address": ["", "127.0.0.1"]},
    ]
    assert link.split("/")[-2] not in str(list(Effect.objects.values("payload")))


@pytest.mark.django_db(transaction=True)
def test_a_link_used_by_six_browsers_at_the_same_moment_sets_one_password(super_admin):
    link = choose_password_link(super_admin)
    browsers = [Client() for _ in range(6)]
    pages = [browser.get(link, follow=True).request["PATH_INFO"] for browser in browsers]
    answers = list[str]()

    def save(number: int) -> None:
        password = f"password of browser {number}"
        answer = browsers[number].post(pages[number], {"password1": password, "password2": password})
        answers.append(answer.headers.get("Location", ""))

    assert run_at_once(*[partial(save, number) for number in range(6)], times=1) == []
    assert answers.count("/") == 1
    assert sum("_auth_user_id" in browser.session for browser in browsers) == 1
    assert recorded().filter(action="reset_password").count() == 1


def test_the_request_does_the_same_work_for_known_and_unknown_addresses(super_admin):
    """It looks for no account, so that neither its answer nor its time can tell."""
    work, answers = [], []
    for address in (super_admin.email, "nobody@portal.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = Client().post(FORGOTTEN, {"email": address})
        answers.append((answer.status_code, answer["Location"]))
        work.append([query["sql"].split("(")[0] for query in queries])
    assert work[0] == work[1]
    assert answers[0] == answers[1]
    assert not any("auth_user" in sql or "account_" in sql for sql in work[0])
    link_emails.answer_requests()
    assert len(links()) == 1
    assert not PasswordLinkRequest.objects.exists()


def test_a_link_works_for_an_hour_and_for_the_first_password_a_week(super_admin, monkeypatch):
    newcomer = User.objects.create_user("newcomer", "newcomer@acme.example")
    made = [
        choose_password_link(person).removeprefix("http://testserver") for person in (super_admin, newcomer)
    ]
    made_at = time.time()
    for age, valid in ((3590, [True, True]), (3660, [False, True]), (7 * 86400 + 60, [False, False])):
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda age=age: made_at + age))
        assert [works(link) for link in made] == valid


@pytest.mark.parametrize("change", [{"email": "else@acme.example"}, {"password": "!"}, None])
def test_a_link_ends_with_a_new_address_or_password_or_a_sign_in(super_admin, change):
    link = choose_password_link(super_admin)
    if change is None:
        sign_in(Client(), super_admin)
    else:
        User.objects.filter(pk=super_admin.pk).update(**change)
    assert not works(link)


# whom a worker answers


def test_inactive_people_and_former_members_get_no_link(super_admin, team_member):
    User.objects.filter(pk=super_admin.pk).update(is_active=False)
    Membership.objects.filter(user=team_member).delete()
    for person in (super_admin, team_member):
        ask(person.email)
    assert links() == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "elsewhere@portal.example"}])
def test_no_link_is_sent_when_the_account_changed_meanwhile(super_admin, change):
    ask(super_admin.email)
    User.objects.filter(pk=super_admin.pk).update(**change)
    assert links() == []


def test_each_account_with_the_address_gets_one_link_while_its_organization_is_paused(
    organization, super_admin
):
    other = factories.member(factories.OrganizationFactory.create(), Membership.Role.ADMIN, "other")
    User.objects.filter(pk=other.pk).update(email=super_admin.email)
    Membership.objects.create(user=super_admin, organization=factories.OrganizationFactory.create())
    Organization.objects.update(paused=True)
    ask(super_admin.email)
    assert len(links()) == 2
    bodies = " ".join(str(message.body) for message in sent_emails())
    assert super_admin.username in bodies
    assert other.username in bodies


def test_a_request_that_cannot_be_answered_stops_no_other_and_ends_after_an_hour(super_admin, monkeypatch):
    def failing(organization, *args, member, **options):
        if member.user.email == "broken@portal.example":
            raise IntegrityError
        enqueue_email(organization, *args, member=member, **options)

    broken = factories.member(factories.OrganizationFactory.create(), Membership.Role.ADMIN, "broken")
    User.objects.filter(pk=broken.pk).update(email="broken@portal.example")
    monkeypatch.setattr(link_emails, "enqueue_email", failing)
    for address in ("broken@portal.example", super_admin.email):
        PasswordLinkRequest.objects.create(address=address)
    assert link_emails.answer_requests() == 1
    assert PasswordLinkRequest.objects.get().address == "broken@portal.example"
    PasswordLinkRequest.objects.update(requested_at=timezone.now() - timedelta(hours=2))
    link_emails.answer_requests()
    assert not PasswordLinkRequest.objects.exists()


# the password of somebody who is signed in


def change(client: Client, present: str = PASSWORD, new: str = NEW) -> Any:
    return client.post(CHANGE, {"oldpassword": present, "password1": new, "password2": new}, follow=True)


def test_a_changed_password_ends_the_other_sessions_and_is_told_and_recorded(super_admin):
    client, other = Client(), Client()
    for one in (client, other):
        sign_in(one, super_admin)
    forget_proofs(client)  # the present password is the proof
    assert "Your password was changed. Your other sessions have ended." in text(change(client))
    assert [one.get("/account/").status_code for one in (client, other)] == [200, 302]
    entry = recorded().latest("pk")
    assert (entry.action, entry.changes["password"]) == ("change_password", ["set", "set"])
    [message] = sent_emails()
    assert (message.to, "was changed" in message.subject) == ([super_admin.email], True)


def test_the_present_password_is_not_guessed_through_the_form(super_admin):
    client = Client()
    sign_in(client, super_admin)
    AttemptLimit.objects.all().delete()
    answers = [change(client, f"guess {number}") for number in range(6)]
    assert "t your present password" in text(answers[0])
    assert [answer.status_code for answer in answers][-1] == 429
    super_admin.refresh_from_db()
    assert super_admin.check_password(PASSWORD)


def test_who_has_no_password_is_led_to_where_a_link_is_sent(client_for, super_admin):
    super_admin.set_unusable_password()
    super_admin.save()
    answer = client_for(super_admin).get(CHANGE, follow=True)
    assert answer.request["PATH_INFO"] == FORGOTTEN


def test_a_new_password_undoes_no_change_of_the_account_that_was_made_meanwhile(super_admin):
    User.objects.filter(pk=super_admin.pk).update(is_active=False)
    get_adapter().set_password(super_admin, NEW)  # as it was read before
    stored = User.objects.get(pk=super_admin.pk)
    assert (stored.is_active, stored.check_password(NEW)) == (False, True)
