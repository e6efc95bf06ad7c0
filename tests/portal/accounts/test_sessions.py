"""Sessions: listed and ended by their person, ended by idleness, age, deactivation and what changes the account."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.pages.views import HEADER as LIVE_PART
from integrations.queue.duties import clean_up
from tests.support.factories import recorded
from tests.support.page_text import text
from tests.support.second_factors import sign_in

PAGE = "/accounts/sessions/"


def signed_in(user: User, address: str = "192.0.2.1") -> Client:
    client = Client(headers={"user-agent": "Firefox/140.0"}, REMOTE_ADDR=address)
    assert sign_in(client, user).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def make_older(**ages: timedelta) -> None:
    UserSession.objects.update(**{column: timezone.now() - age for column, age in ages.items()})


def test_the_own_sessions_are_listed_and_the_others_ended(super_admin, team_member):
    client, other = signed_in(super_admin), signed_in(super_admin, "2001:db8::1")
    colleague = signed_in(team_member, "192.0.2.99")
    words = text(client.get(PAGE))
    assert words.count("this one") == 1
    assert "2001:db8::1" in words
    assert "192.0.2.99" not in words
    assert "Your other sessions were ended." in text(client.post(PAGE, follow=True))
    assert [is_signed_in(one) for one in (client, other, colleague)] == [True, False, True]
    assert recorded().latest("pk").changes == {"sessions": ["2001:db8::1", "ended"]}


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/138.0.0.0 Safari/537.36 Edg/138.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/138.0.0.0 Safari/537.36", "Chrome on macOS"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("<script>alert(1)</script>" * 40, "Unknown browser"),
    ],
)
def test_a_session_is_shown_by_the_plain_name_of_its_browser(super_admin, user_agent, shown):
    client = Client(headers={"user-agent": user_agent})
    sign_in(client, super_admin)
    page = client.get(PAGE).content.decode()
    assert f'<span class="small">{shown}</span>' in page
    assert "Mozilla" not in page
    assert "alert(1)" not in page


def test_a_person_whose_session_was_ended_is_told_so(super_admin):
    client, other = signed_in(super_admin), signed_in(super_admin)
    ended = other.session.session_key
    UserSession.objects.filter(session_key=ended).delete()
    assert "Your session was ended" in text(other.get("/activity/", follow=True))
    assert not Session.objects.filter(pk=ended).exists()
    assert is_signed_in(client)


def test_a_session_ends_after_the_hours_without_use(super_admin):
    client = signed_in(super_admin)
    make_older(last_seen_at=timedelta(hours=12, seconds=-30))
    assert is_signed_in(client)
    make_older(last_seen_at=timedelta(hours=12, seconds=1))
    assert client.post("/settings/rules/", {"bulk_limit": "7"})["Location"].startswith("/accounts/login/")
    assert "You were signed out after 12 hours without use." in text(client.get("/", follow=True))
    assert not recorded().filter(action="change_policies").exists()


def test_a_session_ends_after_its_longest_time_however_much_it_is_used(super_admin):
    client = signed_in(super_admin)
    make_older(created_at=timedelta(days=7, seconds=1))
    assert "a session lasts 168 hours at most" in text(client.get("/", follow=True))
    assert not is_signed_in(client)


def test_the_last_use_is_written_once_a_minute_and_not_by_pages_that_update_themselves(super_admin):
    client = signed_in(super_admin)
    with CaptureQueriesContext(connection) as queries:
        client.get("/account/")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    make_older(last_seen_at=timedelta(minutes=5))
    client.get("/", headers={LIVE_PART: "current"})
    assert timezone.now() - UserSession.objects.get().last_seen_at > timedelta(minutes=4)
    client.get("/account/", REMOTE_ADDR="192.0.2.7")
    row = UserSession.objects.get()
    assert (timezone.now() - row.last_seen_at < timedelta(seconds=30), row.ip) == (True, "192.0.2.7")


def test_a_deactivated_persons_sessions_end_and_stay_ended(super_admin):
    client = signed_in(super_admin)
    for is_active in (False, True):
        super_admin.is_active = is_active
        super_admin.save()
        assert not is_signed_in(client)
    client = signed_in(super_admin)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)


def test_rows_are_deleted_once_their_sessions_are_over(super_admin):
    signed_in(super_admin)
    make_older(last_seen_at=timedelta(days=8))
    kept = signed_in(super_admin)
    clean_up()
    assert UserSession.objects.get().session_key == kept.session.session_key
