"""A link to choose a new password: to the stored address, the same answer for everybody, a daily limit."""

import re
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail, signing
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.accounts.models.sessions import AttemptLimit, PasswordLinkRequest
from integrations.audit.models.entry import AuditEntry
from integrations.members.models.membership import Membership
from integrations.notifications import link_emails
from integrations.notifications.links import choose_password_link, reset_password_link
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import enqueue_email
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.queue import worker
from tests.support import factories

FORGOTTEN, SENT = "/password/forgotten/", "/password/sent/"


def ask(address: str) -> Any:
    """Ask for a link, from a network of its own and not for the first address again; let a worker look for members."""
    AttemptLimit.objects.all().delete()
    answer = Client().post(FORGOTTEN, {"email": address})
    link_emails.answer_requests()
    return answer


def links() -> list[str]:
    """Return the links in the e-mails that are sent now."""
    worker.work()
    return [
        link
        for message in mail.outbox
        for link in re.findall(r"http://testserver(/password/choose/\S+)", str(message.body))
    ]


def choose(link: str, password: str) -> Client:
    client = Client()
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": password, "new_password2": password})
    return client


def test_the_link_on_the_sign_in_page_leads_to_a_new_password(client, super_admin):
    assert f'href="{FORGOTTEN}"' in client.get("/login/").content.decode()
    assert ask(super_admin.email.upper())["Location"] == SENT
    [link] = links()
    [message] = mail.outbox
    assert message.to == [super_admin.email]
    assert f"Your user name is {super_admin.username}." in str(message.body)
    assert "List-Unsubscribe" not in message.extra_headers
    assert choose(link, "another long secret").get("/").status_code == 200
    super_admin.refresh_from_db()
    assert super_admin.check_password("another long secret")


def test_the_link_works_once_and_another_one_is_offered(client, super_admin):
    ask(super_admin.email)
    [link] = links()
    choose(link, "another long secret")
    page = client.get(link, follow=True).content.decode()
    assert "no longer works" in page
    assert f'href="{FORGOTTEN}"' in page


def test_the_answer_is_the_same_for_known_and_unknown_addresses(super_admin):
    known, unknown = ask(super_admin.email), ask("nobody@portal.example")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(links()) == 1


def test_the_request_does_the_same_work_for_known_and_unknown_addresses(super_admin):
    """It looks for no account, so that neither its answer nor its time can tell."""
    work = []
    for address in (super_admin.email, "nobody@portal.example"):
        with CaptureQueriesContext(connection) as queries:
            Client().post(FORGOTTEN, {"email": address})
        texts = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        work.append([text.split("(")[0].split("WHERE")[0] for text in texts])
    assert work[0] == work[1]
    assert not any("auth_user" in sql or "membership" in sql for sql in work[0])
    assert not Effect.objects.exists()


def test_a_request_is_deleted_once_it_is_answered(super_admin):
    ask(super_admin.email)
    ask("nobody@portal.example")
    assert not PasswordLinkRequest.objects.exists()


def test_a_request_that_no_worker_took_up_in_time_is_not_answered(super_admin):
    PasswordLinkRequest.objects.create(
        address=super_admin.email, requested_at=timezone.now() - timedelta(hours=2)
    )
    link_emails.answer_requests()
    assert links() == []
    assert not PasswordLinkRequest.objects.exists()


def test_a_request_that_cannot_be_answered_stops_no_other(super_admin, monkeypatch):
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
    assert len(links()) == 1
    assert PasswordLinkRequest.objects.get().address == "broken@portal.example"


@pytest.mark.django_db(transaction=True)
def test_workers_answer_requests(super_admin):
    Client().post(FORGOTTEN, {"email": super_admin.email})
    worker.work_in_threads()
    assert len(mail.outbox) == 1


def test_an_invalid_address_is_an_error_of_the_field(db):
    answer = ask("nobody")
    assert "valid email address" in str(answer.context["form"].errors["email"])


def test_an_expired_invitation_is_replaced(organization):
    newcomer = User.objects.create_user("newcomer", "newcomer@acme.example")
    Membership.objects.create(user=newcomer, organization=organization, role=Membership.Role.ADMIN)
    ask(newcomer.email)
    [link] = links()
    assert choose(link, "a first long secret").get("/").status_code == 200


def test_inactive_users_and_former_members_get_no_link(super_admin, team_member):
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


def test_each_account_with_the_address_gets_one_link(organization, super_admin):
    other = factories.member(factories.OrganizationFactory.create(), Membership.Role.ADMIN, "other")
    User.objects.filter(pk=other.pk).update(email=super_admin.email)
    second = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=second, role=Membership.Role.ADMIN)
    ask(super_admin.email)
    assert len(links()) == 2
    bodies = " ".join(str(message.body) for message in mail.outbox)
    assert super_admin.username in bodies
    assert other.username in bodies


def test_links_are_limited_to_one_per_quarter_of_an_hour_and_six_a_day(super_admin):
    for _ in range(3):
        ask(super_admin.email)
    assert Effect.objects.count() == 1
    for quarter in range(1, 9):
        Effect.objects.filter(created_at__gt=timezone.now() - timedelta(minutes=1)).update(
            created_at=timezone.now() - timedelta(minutes=15 * quarter), key=f"password_reset:{quarter}"
        )
        ask(super_admin.email)
    assert Effect.objects.count() == 6
    Effect.objects.update(created_at=timezone.now() - timedelta(days=2))
    ask(super_admin.email)
    assert Effect.objects.count() == 7


def test_another_members_links_do_not_count(super_admin, team_member):
    member = Membership.objects.get(user=team_member)
    for number in range(link_emails.DAILY_LIMIT):
        factories.EffectFactory.create(
            organization=member.organization,
            kind="send_email",
            email_topic=EmailTopic.PASSWORD_RESET,
            member=member,
            key=f"password_reset:{number}",
            state="done",
            due_at=None,
        )
    for person in (super_admin, team_member):
        ask(person.email)
    assert len(links()) == 1


def test_links_are_sent_while_the_organization_is_paused(organization, super_admin):
    Organization.objects.filter(pk=organization.pk).update(paused=True)
    ask(super_admin.email)
    assert len(links()) == 1


def test_no_link_is_stored(super_admin):
    ask(super_admin.email)
    [link] = links()
    assert link.split("/")[-2] not in str(Effect.objects.get().payload)


@pytest.mark.parametrize(
    ("address", "words"),
    [("here@portal.example", "sends a new link to here@portal.example"), ("", "no e-mail address")],
)
def test_a_super_admin_sees_how_a_member_gets_a_new_link(super_admin_client, team_member, address, words):
    User.objects.filter(pk=team_member.pk).update(email=address)
    member = Membership.objects.get(user=team_member)
    assert words in super_admin_client.get(f"/settings/members/{member.pk}/link/").content.decode()


def test_a_link_works_for_an_hour(super_admin, monkeypatch):
    ask(super_admin.email)
    [link] = links()
    made_at = time.time()
    for age, is_valid in ((3590, True), (3660, False)):
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda age=age: made_at + age))
        assert Client().get(link, follow=True).context["validlink"] is is_valid


def test_the_two_kinds_of_link_cannot_be_exchanged(super_admin):
    reset, invitation = reset_password_link(super_admin), choose_password_link(super_admin)
    for link, other in ((reset, "/invite/"), (invitation, "/password/choose/")):
        key, token = link.rstrip("/").split("/")[-2:]
        assert not Client().get(f"{other}{key}/{token}/", follow=True).context["validlink"]


def test_a_new_password_ends_all_sessions_and_is_told_and_recorded(super_admin):
    stolen = Client()
    stolen.post("/login/", {"username": super_admin.username, "password": "correct horse battery"})
    super_admin.refresh_from_db()
    ask(super_admin.email)
    [link] = links()
    client = choose(link, "another long secret")
    assert client.get("/account/").status_code == 200
    assert stolen.get("/account/").status_code == 302
    worker.work()
    assert "was changed" in mail.outbox[-1].subject
    entry = AuditEntry.objects.get(action="reset_password")
    assert entry.changes["password"] == ["set", "set"]
