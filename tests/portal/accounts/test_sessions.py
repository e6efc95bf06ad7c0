"""Sessions: listed and ended by their person, ended by idleness, age, sign-out, deactivation and another password."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.accounts.acts.accounts import end_sessions
from integrations.accounts.models.sessions import UserSession
from integrations.audit.models.entry import AuditEntry
from integrations.members.acts.members import remove_member
from integrations.members.models.membership import Membership
from integrations.pages.views import HEADER as LIVE_PART
from portal.accounts.sessions import browser_name
from tests.support.page_text import text

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE = "/account/sessions/"


def signed_in(user: User, user_agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(headers={"user-agent": user_agent}, REMOTE_ADDR=address)
    answer = client.post("/login/", {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def make_older(**ages: timedelta) -> None:
    UserSession.objects.update(**{column: timezone.now() - age for column, age in ages.items()})


def test_the_own_sessions_are_listed_and_this_one_is_marked(super_admin, team_member):
    client = signed_in(super_admin)
    signed_in(super_admin, "Mozilla/5.0 (iPhone) Version/26.0 Safari/604.1", "2001:db8::1")
    signed_in(team_member, address="192.0.2.99")
    page = client.get(PAGE)
    assert [row.browser for row in page.context["sessions"]] == ["Firefox on Linux", "Safari on iPhone"]
    words = text(page)
    assert words.count("this one") == 1
    assert "2001:db8::1" in words
    assert "192.0.2.99" not in words


def test_no_key_of_a_session_is_shown_or_stored_beside_it(super_admin):
    client = signed_in(super_admin)
    key = client.cookies["sessionid"].value
    assert key not in client.get(PAGE).content.decode()
    assert key not in str(list(UserSession.objects.values()) + list(AuditEntry.objects.values()))


def test_one_session_is_ended_and_the_others_stay(super_admin):
    client, other, third = (signed_in(super_admin) for _ in range(3))
    row = UserSession.objects.order_by("pk")[1]
    answer = client.post(PAGE, {"session": row.pk}, follow=True)
    assert "The session was ended." in text(answer)
    assert [is_signed_in(one) for one in (client, other, third)] == [True, False, True]


def test_a_person_whose_session_was_ended_is_told_so(super_admin):
    client, other = signed_in(super_admin), signed_in(super_admin)
    client.post(PAGE, {"others": "1"})
    answer = other.get("/activity/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login/?next=/activity/"
    assert "Your session was ended" in text(answer)


def test_all_others_are_ended(super_admin):
    client, *others = (signed_in(super_admin) for _ in range(4))
    assert "3 sessions were ended." in text(client.post(PAGE, {"others": "1"}, follow=True))
    assert is_signed_in(client)
    assert not any(is_signed_in(other) for other in others)


@pytest.mark.parametrize("named", ["", "0", "-1", "x", "9" * 40, "١", "\x01", "1 OR 1=1"])
def test_what_names_no_session_ends_none(super_admin, named):
    client, other = signed_in(super_admin), signed_in(super_admin)
    assert "no such session" in text(client.post(PAGE, {"session": named}, follow=True))
    assert is_signed_in(client)
    assert is_signed_in(other)


def test_nobody_ends_anothers_session(super_admin, stranger):
    victim, client = signed_in(super_admin), signed_in(stranger)
    client.post(PAGE, {"session": UserSession.objects.get(user=super_admin).pk})
    client.post(PAGE, {"others": "1"})
    assert is_signed_in(victim)


def test_a_session_ends_after_the_hours_without_use(super_admin, settings):
    client = signed_in(super_admin)
    make_older(last_used_at=timedelta(hours=settings.SESSION_IDLE_HOURS, seconds=-30))
    assert is_signed_in(client)
    make_older(last_used_at=timedelta(hours=settings.SESSION_IDLE_HOURS, seconds=1))
    answer = client.get("/", follow=True)
    assert "You were signed out after 12 hours without use." in text(answer)
    assert not is_signed_in(client)


def test_a_session_ends_after_its_longest_time_however_much_it_is_used(super_admin, settings):
    client = signed_in(super_admin)
    make_older(began_at=timedelta(hours=settings.SESSION_MAX_HOURS, seconds=1))
    assert "a session lasts 168 hours at most" in text(client.get("/", follow=True))
    assert not is_signed_in(client)


def test_an_ended_session_changes_nothing_any_more(super_admin, organization):
    client = signed_in(super_admin)
    make_older(ended_at=timedelta(0))
    answer = client.post("/settings/rules/", {"bulk_limit": "7"})
    assert answer["Location"].startswith("/login/")
    assert not AuditEntry.objects.filter(action="change_policies").exists()


def test_a_page_that_updates_itself_is_no_use_of_the_session(super_admin):
    client = signed_in(super_admin)
    make_older(last_used_at=timedelta(minutes=5))
    before = UserSession.objects.get().last_used_at
    client.get("/", headers={LIVE_PART: "current"})
    assert UserSession.objects.get().last_used_at == before
    client.get("/")
    assert UserSession.objects.get().last_used_at > before


def test_the_last_use_is_written_once_a_minute(super_admin):
    client = signed_in(super_admin)
    with CaptureQueriesContext(connection) as queries:
        client.get("/account/")
        client.get("/account/")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    make_older(last_used_at=timedelta(minutes=5))
    client.get("/account/", REMOTE_ADDR="192.0.2.7")
    row = UserSession.objects.get()
    assert timezone.now() - row.last_used_at < timedelta(seconds=30)
    assert (row.address, row.network) == ("192.0.2.7", "192.0.2.1")


def test_requests_without_a_session_cost_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        Client().get("/healthz/live")
        Client().get("/login/")


def test_signing_out_ends_the_session_at_once(super_admin):
    client = signed_in(super_admin)
    key = client.cookies["sessionid"].value
    client.post("/logout/")
    assert UserSession.objects.get().ended_at is not None
    client.cookies["sessionid"] = key
    assert not is_signed_in(client)


def test_a_deactivated_persons_sessions_end_and_stay_ended(super_admin):
    client = signed_in(super_admin)
    super_admin.is_active = False
    super_admin.save()
    assert not is_signed_in(client)
    super_admin.is_active = True
    super_admin.save()
    assert not is_signed_in(client)
    assert not UserSession.objects.live().exists()


def test_a_person_deactivated_by_other_means_is_signed_out_too(super_admin):
    client = signed_in(super_admin)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)


def test_a_sign_in_changes_the_key_of_the_session(super_admin):
    client = Client()
    client.get("/login/")
    client.session.save()
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    client.post("/login/", {"username": super_admin.username, "password": PASSWORD})
    assert client.cookies["sessionid"].value != session.session_key
    fixed = Client()
    fixed.cookies["sessionid"] = session.session_key or ""
    assert not is_signed_in(fixed)


def test_a_session_without_a_row_of_its_person_does_not_hold(super_admin, team_member):
    client = signed_in(super_admin)
    UserSession.objects.update(user=team_member)
    assert not is_signed_in(client)
    client = signed_in(super_admin)
    UserSession.objects.all().delete()
    assert not is_signed_in(client)


def test_sessions_are_ended_but_one(super_admin):
    signed_in(super_admin)
    signed_in(super_admin)
    kept = UserSession.objects.order_by("pk").first()
    assert kept is not None
    assert end_sessions(super_admin, keep=kept.pk) == 1
    assert end_sessions(super_admin) == 1
    assert end_sessions(super_admin) == 0


def test_rows_are_deleted_some_time_after_their_sessions(super_admin):
    for _ in range(3):
        signed_in(super_admin)
    ended, forgotten, live = UserSession.objects.order_by("pk")
    long_ago = timezone.now() - timedelta(days=31)
    UserSession.objects.filter(pk=ended.pk).update(ended_at=long_ago)
    UserSession.objects.filter(pk=forgotten.pk).update(last_used_at=long_ago)
    assert UserSession.objects.purge() == 2
    assert [row.pk for row in UserSession.objects.all()] == [live.pk]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/26.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) CriOS/140 Safari/604.1", "Chrome on iPhone"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("", "Unknown browser"),
        ("curl/8 Linux" + "x" * 10_000, "Unknown browser on Linux"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, name):
    assert browser_name(user_agent) == name


def test_a_removed_members_sessions_end(super_admin, team_member):
    client = signed_in(team_member)
    remove_member(Membership.objects.get(user=team_member), super_admin)
    assert not is_signed_in(client)
