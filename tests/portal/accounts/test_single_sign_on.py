"""Which people a provider signs in, by a pretend one on the wire."""

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.test import Client

from integrations.members.acts.invitations import InvitationProof, accept, has_proven_address
from integrations.members.models.membership import Membership
from integrations.organizations.acts import set_policies
from integrations.single_sign_on.acts import Refusal
from integrations.single_sign_on.models import SingleSignOn
from tests.support import factories
from tests.support.factories import recorded
from tests.support.identity_provider import Provider, make_provider
from tests.support.second_factors import PASSWORD

LOGIN = "/accounts/login/"


@pytest.fixture
def acme(wire, organization) -> Provider:
    """The provider of the organization."""
    make_provider("acme", organization)
    return Provider(wire)


@pytest.fixture
def everybody(wire, db) -> Provider:
    """The provider of the installation, beside that of an organization."""
    make_provider("everybody")
    return Provider(wire, "everybody")


@pytest.fixture
def other(db):
    return factories.OrganizationFactory.create(name="Globex", slug="globex")


def signed_in(client: Client) -> str:
    """Return the name of who is signed in; empty for nobody."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else ""


def sign_in(provider: Provider, email: str) -> Client:
    """Return a new browser in which the provider has said that this is its person."""
    client = Client()
    provider.sign_in(client, email)
    return client


def assert_refused(provider: Provider, email: str, refusal: Refusal) -> None:
    """Who has this address is not signed in; the page and the log say why."""
    client = Client()
    assert_says_why(client, provider.sign_in(client, email), refusal)


def assert_says_why(client: Client, answer, refusal: Refusal) -> None:
    assert (answer.status_code, signed_in(client)) == (403, "")
    assert refusal.label.replace("'", "&#x27;") in answer.content.decode()
    entry = recorded().latest("pk")
    assert entry.action == "refuse_sign_in"
    assert refusal.value in (entry.reason, entry.changes.get("reason", ["", ""])[1])


# who is signed in


def test_a_member_is_signed_in_by_their_verified_address_and_known_from_then_on(acme, team_member):
    client = Client()
    answer = acme.sign_in(client, team_member.email.upper(), "?next=/activity/")
    assert (answer.status_code, answer["Location"]) == (302, "/activity/")
    assert signed_in(client) == team_member.username
    assert acme.asked["code_challenge_method"] == "S256"
    assert acme.asked["scope"].split() in (["openid", "email"], ["email", "openid"])
    known = SocialAccount.objects.get()
    assert (known.user, known.uid, known.extra_data) == (team_member, "subject-1", {})
    assert not SocialToken.objects.exists()
    assert list(recorded().order_by("pk").values_list("action", flat=True)) == ["link_to_provider", "sign_in"]
    assert recorded().latest("pk").changes["method"] == ["", "single sign-on"]
    acme.sign_in(Client())
    assert SocialAccount.objects.get().extra_data == {}


def test_the_installations_provider_signs_in_members_of_every_organization(everybody, team_member, other):
    Membership.objects.create(user=team_member, organization=other, role="admin")
    client = sign_in(everybody, team_member.email)
    assert signed_in(client) == team_member.username
    assert Membership.objects.filter(user=team_member).count() == len(
        client.get("/account/").context["memberships"]
    )


def test_an_invited_person_gets_an_account_that_only_the_organization_trusts(acme, organization, other):
    factories.invited(organization, "new@acme.example")
    factories.invited(other, "new@acme.example")
    client = sign_in(acme, "new@acme.example")
    member = Membership.objects.get(user__email="new@acme.example")
    assert (member.organization, signed_in(client)) == (organization, "new@acme.example")
    assert not member.user.has_usable_password()
    assert not has_proven_address(member.user)


def test_an_invited_person_joins_by_the_installations_provider(everybody, organization, other):
    assert_refused(everybody, "new@acme.example", Refusal.NOT_A_MEMBER)
    factories.invited(organization, "new@acme.example")
    second = factories.invited(other, "new@acme.example")
    assert_refused(everybody, "new@acme.example", Refusal.INVITED)
    second.delete()
    client = sign_in(everybody, "new@acme.example")
    assert signed_in(client) == "new@acme.example"
    assert has_proven_address(User.objects.get(email="new@acme.example"))


def test_a_person_with_a_second_factor_is_asked_for_it(acme, team_member, monkeypatch):
    monkeypatch.setattr("allauth.mfa.stages.is_mfa_enabled", lambda *_: True)
    client = Client()
    assert acme.sign_in(client, team_member.email)["Location"] == "/accounts/2fa/authenticate/"
    assert signed_in(client) == ""


# who is refused


@pytest.mark.parametrize("email_verified", [False, None, "no"])
def test_an_address_that_is_not_verified_is_refused(acme, team_member, email_verified):
    acme.person = {"email_verified": email_verified}
    assert_refused(acme, team_member.email, Refusal.NOT_VERIFIED)


def member_who_is(organization, *others, **columns) -> str:
    """Return the address of a member of the organization, and of the others, whose account has these columns."""
    user = factories.member(organization, "team_member", "ann")
    for other in others:
        Membership.objects.create(user=user, organization=other, role="admin")
    User.objects.filter(pk=user.pk).update(**columns)
    return user.email


def invited_with_an_account(organization) -> str:
    address = factories.UserFactory.create().email
    factories.invited(organization, address)
    return address


def one_of_two_with_the_address(organization) -> str:
    address = member_who_is(organization)
    factories.UserFactory.create(email=address.upper())
    return address


#: Makes somebody, and returns their address; the refusal.
REFUSED_PEOPLE = {
    "a stranger": (lambda ours, other: "nobody@acme.example", Refusal.NOT_A_MEMBER),
    "of another organization": (lambda ours, other: member_who_is(other), Refusal.NOT_A_MEMBER),
    "of two organizations": (lambda ours, other: member_who_is(ours, other), Refusal.ELSEWHERE),
    "staff": (lambda ours, other: member_who_is(ours, is_staff=True), Refusal.ELSEWHERE),
    "an operator": (lambda ours, other: member_who_is(ours, is_superuser=True), Refusal.OPERATOR),
    "disabled": (lambda ours, other: member_who_is(ours, is_active=False), Refusal.NOT_A_MEMBER),
    "one of two": (lambda ours, other: one_of_two_with_the_address(ours), Refusal.OTHER_PERSON),
    "to join by the link": (lambda ours, other: invited_with_an_account(ours), Refusal.INVITED),
}


@pytest.mark.parametrize("name", REFUSED_PEOPLE)
def test_who_is_no_member_of_this_organization_alone_is_refused(acme, organization, other, name):
    make, refusal = REFUSED_PEOPLE[name]
    address = make(organization, other)
    before = User.objects.count()
    assert_refused(acme, address, refusal)
    assert User.objects.count() == before


def test_a_known_person_who_joins_another_organization_is_refused_from_then_on(acme, team_member, other):
    acme.sign_in(Client(), team_member.email)
    Membership.objects.create(user=team_member, organization=other, role="admin")
    assert_refused(acme, team_member.email, Refusal.ELSEWHERE)


def test_somebody_else_with_a_members_address_is_refused(acme, team_member, super_admin):
    acme.sign_in(Client(), team_member.email)
    acme.person = {}
    assert_refused(acme, super_admin.email, Refusal.OTHER_PERSON)  # the known subject
    acme.claims = acme.person = {"sub": "subject-2"}
    assert_refused(acme, team_member.email, Refusal.OTHER_PERSON)


def test_userinfo_about_somebody_else_is_refused(acme, team_member):
    acme.person = {"sub": "subject-2"}
    assert_refused(acme, team_member.email, Refusal.FAILED)


def test_a_signed_in_person_can_not_connect_an_account_of_theirs(acme, team_member, super_admin):
    client = Client()
    client.force_login(super_admin)
    answer = acme.sign_in(client, team_member.email, "?process=connect")
    assert (answer.status_code, SocialAccount.objects.count()) == (403, 0)
    assert signed_in(client) == super_admin.username


# what fails


@pytest.mark.parametrize(
    ("back", "refusal"),
    [({"state": "forged"}, Refusal.FAILED), ({"error": "access_denied"}, Refusal.CANCELLED)],
)
def test_a_wrong_state_and_a_cancelled_sign_in_sign_nobody_in(acme, team_member, back, refusal):
    client = Client()
    answer = acme.sign_in(client, team_member.email, **back)
    assert (answer.status_code, signed_in(client)) == (403, "")
    assert refusal.label.replace("'", "&#x27;") in answer.content.decode()


@pytest.mark.parametrize("answer", [{"body": requests.ConnectTimeout()}, {"body": "not JSON"}, {"json": {}}])
def test_a_provider_that_is_away_or_answers_nonsense_is_a_plain_page(wire, organization, answer):
    make_provider("acme", organization)
    wire.get("https://acme.id.example/.well-known/openid-configuration", **answer)
    page = Client().post("/accounts/oidc/acme/login/")
    assert (page.status_code, "You are not signed in" in page.content.decode()) == (403, True)


# which providers there are


def test_a_provider_that_is_off_or_bound_to_nothing_is_not_there(client, organization):
    make_provider("acme", organization, is_on=False)
    SingleSignOn.objects.filter(pk=make_provider("unbound").pk).delete()
    for name in ("acme", "unbound", "unknown"):
        assert client.post(f"/accounts/oidc/{name}/login/").status_code == 404
    assert " ID" not in client.get(LOGIN).content.decode()


def test_the_sign_in_page_shows_the_buttons_of_listed_ones(client, organization, settings):
    make_provider("acme", organization, is_listed=False)
    make_provider("everybody")
    page = client.get(f"{LOGIN}?next=/activity/").content.decode()
    assert "Sign in with Everybody ID" in page
    assert 'action="/accounts/oidc/everybody/login/?next=%2Factivity%2F"' in page
    assert "Acme ID" not in page


def test_a_session_opens_the_providers_organization_alone_when_its_person_joins_another(
    acme, team_member, other, organization
):
    client = sign_in(acme, team_member.email)
    accept(factories.invited(other, team_member.email), team_member, InvitationProof.LINK)
    shown = client.get("/account/").context["memberships"]
    assert [member.organization for member in shown] == [organization]
    client.post("/organization/", {"organization": other.slug})
    assert client.get("/").context["organization"] == organization


def test_a_sign_in_by_the_provider_is_no_fresh_proof_and_no_second_factor(acme, super_admin, organization):
    client = sign_in(acme, super_admin.email)
    made = client.post("/settings/api/", {"name": "evil", "scopes": "results", "days": 9})
    assert made["Location"].startswith("/accounts/reauthenticate/")
    set_policies(organization, {"requires_second_factor": True}, "operator")
    assert client.get("/")["Location"].startswith("/accounts/2fa/")


# an organization that requires it


def require(organization) -> None:
    set_policies(organization, {"requires_single_sign_on": True}, "operator")


def give_password(user: User):
    client = Client()
    answer = client.post(LOGIN, {"login": user.username, "password": PASSWORD})
    return client, answer


def test_a_password_is_refused_with_the_way_there_where_the_provider_is_required(
    acme, team_member, organization
):
    require(organization)
    client, answer = give_password(team_member)
    assert_says_why(client, answer, Refusal.ONLY_BY_PROVIDER)
    assert "Sign in with Acme ID" in answer.content.decode()
    acme.sign_in(client, team_member.email)
    assert signed_in(client) == team_member.username


@pytest.mark.parametrize("why", ["staff", "superuser", "two organizations", "no provider", "switched off"])
def test_a_password_stays_for_who_the_provider_can_not_sign_in(acme, team_member, organization, other, why):
    require(organization)
    if why == "two organizations":
        Membership.objects.create(user=team_member, organization=other, role="admin")
    elif why == "no provider":
        SingleSignOn.objects.all().delete()
    elif why == "switched off":
        SingleSignOn.objects.update(is_on=False)
    else:
        User.objects.filter(pk=team_member.pk).update(**{f"is_{why}": True})
    client, _ = give_password(team_member)
    assert signed_in(client) == team_member.username


def test_requiring_it_wants_a_session_that_the_provider_began(
    acme, super_admin, super_admin_client, organization
):
    form = {"requires_single_sign_on": "on"}
    refused = super_admin_client.post("/settings/security/", form, follow=True)
    assert "First sign in with the provider yourself" in refused.content.decode()
    client = sign_in(acme, super_admin.email)
    client.post("/settings/security/", form)
    organization.refresh_from_db()
    assert organization.requires_single_sign_on
    assert recorded().latest("pk").changes == {"requires_single_sign_on": [False, True]}
