"""Finding 2: an organization makes somebody its member, who lands there, or asks whether somebody has an account."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.members.models.membership import Membership
from tests.attacks.invitations import Owner, mailed_links, owner_of
from tests.support import factories
from tests.support.page_text import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex() -> Owner:
    return owner_of("ACME")


@pytest.fixture
def victim() -> User:
    """A member of the honest Acme, whose name comes later in the alphabet than the attacker's "ACME"."""
    acme = factories.OrganizationFactory.create(slug="acme-honest", name="Acme")
    user = factories.member(acme, Membership.Role.LIMITED_TEAM_MEMBER, "acme_lim")
    user.email = "lim@acme.example"
    user.save()
    factories.prove_address(user)
    return user


def sign_in(client, user: User) -> None:
    client.post("/accounts/login/", {"login": user.username, "password": "correct horse battery"})


def test_an_invited_person_stays_where_they_are_until_they_accept(globex, victim, client):
    globex.invite(victim.email)
    sign_in(client, victim)
    assert "Acme" in text(client.get("/"))
    assert "ACME" not in text(client.get("/"))
    assert client.post("/organization/", {"organization": globex.organization.slug}).status_code == 404
    assert victim.memberships.count() == 1


def test_the_organization_last_used_comes_first_at_the_next_sign_in(globex, victim, client):
    Membership.objects.create(user=victim, organization=globex.organization)
    sign_in(client, victim)
    assert 'href="/">' in text(client.get("/"))
    assert client.get("/").context["organization"].slug == "acme-honest"  # the earliest, not the alphabetical
    client.post("/organization/", {"organization": globex.organization.slug})
    client.post("/accounts/logout/")
    sign_in(client, victim)
    assert client.get("/").context["organization"] == globex.organization


@pytest.mark.parametrize("name", ["with", "without"])
def test_the_answer_is_the_same_with_an_account_and_without(globex, victim, name):
    address = victim.email if name == "with" else "nobody@nowhere.example"
    answer = globex.client.post("/settings/team/", {"email": address, "role": "admin"})
    assert (answer.status_code, answer["Location"]) == (302, "/settings/team/")
    pending = globex.pending(address)
    pages = text(globex.client.get("/settings/team/")) + text(
        globex.client.get(f"/settings/members/pending/{pending.pk}/")
    )
    assert f"on its way to {address}" in pages
    assert victim.username not in pages
    assert len(mailed_links(address)) == 1


def test_both_answers_cost_the_same_queries(globex, victim):
    globex.invite("the-first@nowhere.example")  # which begins the organization's log
    counts = []
    for address in (victim.email, "nobody@nowhere.example"):
        with CaptureQueriesContext(connection) as queries:
            globex.client.post("/settings/team/", {"email": address, "role": "admin"})
        counts.append(len(queries))
    assert counts[0] == counts[1]
