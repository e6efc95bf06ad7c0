"""An organization invites to be inside another, to learn who has an account, or to send strangers its own words."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.members.models.membership import Membership
from integrations.notifications import link_emails
from integrations.notifications.link_emails import membership_link, plain_name
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from tests.attacks.conftest import ACCEPT, PASSWORD, accept_as_new, mailed_links, owner_of
from tests.support import factories
from tests.support.mailbox import sent_emails
from tests.support.page_text import text
from tests.support.second_factors import sign_in, signed_in

pytestmark = pytest.mark.django_db

CAROL = "carol@acme.example"


def test_a_link_that_was_shown_is_no_proof_of_the_address(globex, acme, settings):
    """Without mail the one who invites sees the link, and can make an account with anybody's address."""
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    page = globex.invite(CAROL)
    shown = re.search(r"http://testserver(/membership/[^\s\"<]+/)", page)
    assert shown
    attacker = accept_as_new(shown[1])
    acme.invite(CAROL, "admin")
    assert "Acme" not in text(attacker.get("/account/"))
    pk = acme.pending(CAROL).pk
    assert attacker.post(f"/account/memberships/{pk}/answer/", ACCEPT).status_code == 404
    assert not acme.organization.memberships.filter(user__email=CAROL).exists()


def test_the_link_of_another_organization_never_sets_the_password_of_an_account(globex, acme, client):
    globex.invite(CAROL)
    acme.invite(CAROL)
    accept_as_new(acme.link_to(CAROL))
    before = User.objects.get(email=CAROL).password
    answer = client.post(globex.link_to(CAROL), PASSWORD, follow=True)
    assert "sign in to it" in text(answer)
    assert User.objects.get(email=CAROL).password == before
    assert not globex.organization.memberships.filter(user__email=CAROL).exists()


def test_a_proof_of_an_earlier_address_counts_for_no_other(acme):
    person = factories.UserFactory.create(email="mallory@globex.example")
    factories.prove_address(person)
    person.email = CAROL
    person.save()
    acme.invite(CAROL)
    pk = acme.pending(CAROL).pk
    assert signed_in(person).post(f"/account/memberships/{pk}/answer/", ACCEPT).status_code == 404


def test_a_link_opened_by_an_account_of_another_address_is_refused_and_says_so(acme, globex):
    acme.invite(CAROL)
    link = acme.link_to(CAROL)
    page = text(globex.client.get(link))
    assert f"You are signed in as <strong>{globex.user}</strong>" in page
    assert "with another address" in text(globex.client.post(link, ACCEPT))
    assert not acme.organization.memberships.filter(user=globex.user).exists()


def test_the_kept_link_of_a_withdrawn_invitation_ends_although_another_organization_invites(globex, acme):
    globex.invite(CAROL)
    pending = globex.pending(CAROL)
    kept = membership_link(pending).removeprefix("http://testserver")
    globex.client.post(f"/settings/members/pending/{pending.pk}/withdraw/")
    acme.invite(CAROL)
    for client in (globex.client, acme.client, signed_in(factories.UserFactory.create(email=CAROL))):
        assert "no longer works" in text(client.get(kept))
        assert "no longer works" in text(client.post(kept, ACCEPT))
    assert not Membership.objects.filter(user__email=CAROL).exists()


def test_an_altered_link_and_one_of_another_row_are_nothing(acme, globex, client):
    acme.invite(CAROL)
    link = acme.link_to(CAROL)
    for wrong in (link[:-3] + "AA/", link.replace(":", "", 1), "/membership/x/", "/membership/%01/"):
        assert "no longer works" in text(client.post(wrong, PASSWORD))
    assert not User.objects.filter(email=CAROL).exists()


# whether somebody has an account, and where they work


@pytest.fixture
def victim(acme) -> User:
    """A member of Acme, who has proven their address."""
    user = factories.member(acme.organization, Membership.Role.LIMITED_TEAM_MEMBER, "lim")
    user.email = CAROL  # which doesn't contain the name
    user.save()
    factories.prove_address(user)
    return user


def test_the_organization_last_used_comes_first_at_the_next_sign_in(globex, acme, victim, client):
    earlier = factories.OrganizationFactory.create(name="AAA")
    Membership.objects.create(user=victim, organization=globex.organization)
    Membership.objects.create(user=victim, organization=earlier)
    sign_in(client, victim)
    assert client.get("/").context["organization"] == acme.organization  # the first, not the alphabetical
    client.post("/organization/", {"organization": globex.organization.slug})
    client.post("/accounts/logout/")
    sign_in(client, victim)
    assert client.get("/").context["organization"] == globex.organization


def test_the_answer_is_the_same_and_costs_the_same_with_an_account_and_without(globex, victim):
    globex.invite("the-first@nowhere.example")  # which begins the organization's log
    counts = []
    for address in (victim.email, "nobody@nowhere.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = globex.client.post("/settings/team/", {"email": address, "role": "admin"})
        counts.append(len(queries))
        assert (answer.status_code, answer["Location"]) == (302, "/settings/team/")
        pages = text(globex.client.get("/settings/team/"))
        pages += text(globex.client.get(f"/settings/members/pending/{globex.pending(address).pk}/"))
        assert f"on its way to {address}" in pages
        assert victim.username not in pages
        assert len(mailed_links(address)) == 1
    assert counts[0] == counts[1]


# invitations as a way to send mail to strangers, with the sender's text and links in it


STRANGER = "stranger@elsewhere.example"


@pytest.mark.slow
def test_withdrawing_and_sending_again_do_not_get_around_the_limit(globex):
    for _ in range(3):
        globex.invite(STRANGER)
        globex.client.post(f"/settings/members/pending/{globex.pending(STRANGER).pk}/withdraw/")
    assert "Too many invitations" in globex.invite(STRANGER.upper())
    Effect.objects.filter(email_topic="welcome").update(created_at=timezone.now() - timedelta(hours=25))
    assert "on its way" in globex.invite(STRANGER)
    pk = globex.pending(STRANGER).pk
    answers = [globex.client.post(f"/settings/members/pending/{pk}/", follow=True) for _ in range(4)]
    assert ["Too many" in answer.content.decode() for answer in answers] == [False, False, True, True]


def test_an_organization_sends_so_many_invitations_an_hour(globex, monkeypatch):
    monkeypatch.setattr(link_emails, "MOST_PER_HOUR", 2)
    pages = [globex.invite(f"stranger-{number}@elsewhere.example") for number in range(3)]
    assert ["Too many invitations" in page for page in pages] == [False, False, True]


def test_many_organizations_together_do_not_flood_an_address_and_learn_nothing_of_one_another(monkeypatch):
    monkeypatch.setattr(link_emails, "MOST_PER_ADDRESS_FROM_ALL", 2)
    for number in range(4):
        assert "on its way" in owner_of(f"House {number}").invite(STRANGER)
    assert len(mailed_links(STRANGER)) == 2
    waiting = Effect.objects.filter(email_topic="welcome", state="due")
    assert waiting.filter(due_at__gt=timezone.now() + timedelta(hours=23)).count() == waiting.count() == 2


def test_what_the_organization_wrote_reaches_a_stranger_as_plain_words_only(globex):
    Organization.objects.filter(pk=globex.organization.pk).update(
        name="Win at https://evil.example/x\nor www.evil.example now",
    )
    globex.invite(STRANGER)
    [message] = sent_emails(STRANGER)
    assert isinstance(message, EmailMultiAlternatives)
    html = str(message.alternatives[0][0])
    for content in (str(message.subject), str(message.body), html):
        assert "evil.example" not in content
    assert html.count("<a ") == 1
    assert 'href="http://testserver/membership/' in html


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Müller & Söhne, Inc.", "Müller & Söhne, Inc."),
        ("https://evil.example/path?x=1", "https evil. example path x 1"),
        ("a@b.example", "a b. example"),
        ("<b>bold</b>", "b bold b"),
        ("\u202eevil\u2028line", "evil line"),
        ("  ", "somebody"),
        ("x" * 500, "x" * 60),
        ("東京 採用", "東京 採用"),
    ],
)
def test_an_organizations_name_is_read_as_words(name, read):
    assert plain_name(name) == read
