"""One organization's provider against the other organizations: whatever it claims, it opens its own alone."""

import pytest
from django.test import Client

from integrations.members.models.membership import PROVIDER_SESSION_KEY, Membership
from integrations.notifications.link_emails import answer_requests
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain
from tests.portal.accounts.single_sign_on_scene import begin, is_signed_in, prove, set_up, sign_in
from tests.support import factories
from tests.support.identity_provider import Provider, fake_wire

PASSWORD = "correct horse battery"


def provider_of(organization, wire, **claims) -> Provider:
    """Serve a provider for the organization, which has it set up."""
    provider = Provider(f"https://login.{organization.slug}.example", **claims)
    fake_wire(provider, wire)
    set_up(organization, provider)
    return provider


@pytest.fixture
def carol(acme):
    """A Super Admin of Acme."""
    user = factories.UserFactory.create(username="carol", email="carol@acme.example")
    Membership.objects.create(user=user, organization=acme, role=Membership.Role.SUPER_ADMIN)
    return user


def return_from(client: Client, provider: Provider, organization):
    """Go to an organization's provider directly, as its settings page does, and come back."""
    row = IdentityProvider.objects.get(organization=organization)
    own = SignInDomain.objects.proven().filter(organization=organization).first()
    assert own is not None
    back = provider.authorize(begin(client, f"anybody@{own.domain}"))
    assert row.organization.slug in back
    return client.get(back.removeprefix("http://testserver"))


def test_a_provider_cannot_claim_an_address_of_another_organization(client, acme, globex, carol, wire):
    prove(acme, "acme.example")
    prove(globex, "globex.example")
    evil = provider_of(globex, wire, email="carol@acme.example")
    answer = return_from(client, evil, globex)
    assert answer.status_code == 403
    assert not is_signed_in(client)


def test_naming_a_domain_without_proof_gives_no_power(client, globex, carol, wire):
    SignInDomain.objects.create(organization=globex, domain="acme.example")
    provider_of(globex, wire, email="carol@acme.example")
    answer = client.post("/sso/login/", {"email": "carol@acme.example"})
    assert "No organization here has set up" in answer.content.decode()


def test_a_provider_cannot_sign_in_a_member_whose_address_is_outside_its_domains(
    client, acme, globex, carol, wire
):
    """Globex invites Carol, who accepts, and says then that somebody is her."""
    Membership.objects.create(user=carol, organization=globex, role=Membership.Role.TEAM_MEMBER)
    prove(globex, "globex.example")
    evil = provider_of(globex, wire, email="carol@acme.example")
    assert return_from(client, evil, globex).status_code == 403
    evil.email, evil.subject = "carol@globex.example", "subject-2"
    assert return_from(client, evil, globex).status_code == 403
    assert not is_signed_in(client)


def test_a_session_of_one_organizations_provider_opens_that_one_alone(client, acme, globex, carol, wire):
    """Carol has an address at Globex and works for both: Globex's provider may name any person of Globex."""
    carol.email = "carol@globex.example"
    carol.is_staff = True
    carol.save()
    Membership.objects.create(user=carol, organization=globex, role=Membership.Role.ADMIN)
    prove(globex, "globex.example")
    provider = provider_of(globex, wire, email="carol@globex.example")
    assert return_from(client, provider, globex).status_code == 302
    page = client.get("/").content.decode()
    assert "Globex" in page
    assert "Acme" not in page
    assert client.post("/organization/", {"organization": "acme"}).status_code == 404
    assert client.post("/oauth/login/lever/", {"organization": "acme"}).status_code == 403
    listed = client.get("/admin/integrations/organization/").content.decode()
    assert "Globex" in listed
    assert "Acme" not in listed
    assert client.get(f"/admin/integrations/organization/{acme.pk}/change/").status_code == 404


def test_an_organization_chosen_in_an_earlier_session_is_not_opened(client, acme, globex, carol, wire):
    carol.email = "carol@globex.example"
    carol.save()
    Membership.objects.create(user=carol, organization=globex, role=Membership.Role.ADMIN)
    prove(globex, "globex.example")
    provider = provider_of(globex, wire, email="carol@globex.example")
    client.post("/login/", {"username": "carol", "password": PASSWORD})
    client.post("/organization/", {"organization": "acme"})
    assert "Acme" in client.get("/").content.decode()
    return_from(client, provider, globex)
    assert "Acme" not in client.get("/").content.decode()
    client.post("/login/", {"username": "carol", "password": PASSWORD})
    client.logout()
    client.post("/login/", {"username": "carol", "password": PASSWORD})
    assert PROVIDER_SESSION_KEY not in client.session


def test_a_provider_cannot_change_how_a_person_signs_in_elsewhere(client, acme, globex, carol, wire):
    carol.email = "carol@globex.example"
    carol.save()
    Membership.objects.create(user=carol, organization=globex, role=Membership.Role.ADMIN)
    prove(globex, "globex.example")
    IdentityProvider.objects.all().delete()
    provider = provider_of(globex, wire, email="carol@globex.example")
    return_from(client, provider, globex)
    for address in ("/account/password/", "/account/second-factor/", "/account/second-factor/passkey/add/"):
        answer = client.post(address)
        assert answer.status_code == 403, address
        assert "Not from this session" in answer.content.decode()
    IdentityProvider.objects.update(counts_as_second_factor=False)
    assert client.post("/account/second-factor/").status_code == 403  # she belongs to Acme, too


def test_a_provider_cannot_accept_another_organizations_invitation(client, acme, globex, carol, wire):
    prove(acme, "acme.example")
    factories.prove_address(carol)
    pending = factories.invited(globex, "carol@acme.example")
    return_from(client, provider_of(acme, wire), acme)
    answer = client.post(f"/account/memberships/{pending.pk}/answer/", {"answer": "accept"})
    assert answer.status_code == 403
    assert not globex.memberships.exists()


def test_a_provider_never_signs_in_an_operator(client, globex, wire):
    operator = factories.UserFactory.create(
        username="operator", email="operator@globex.example", is_superuser=True, is_staff=True
    )
    Membership.objects.create(user=operator, organization=globex, role=Membership.Role.SUPER_ADMIN)
    prove(globex, "globex.example")
    provider = provider_of(globex, wire, email="operator@globex.example")
    assert return_from(client, provider, globex).status_code == 403
    assert not is_signed_in(client)


def test_a_person_who_becomes_an_operator_loses_the_session_of_a_provider(client, globex, wire):
    user = factories.UserFactory.create(email="late@globex.example", is_staff=True)
    Membership.objects.create(user=user, organization=globex, role=Membership.Role.SUPER_ADMIN)
    prove(globex, "globex.example")
    return_from(client, provider_of(globex, wire, email="late@globex.example"), globex)
    user.is_superuser = True
    user.save()
    assert client.get("/admin/")["Location"] == "/login/"
    assert not is_signed_in(client)


def test_an_address_that_was_given_to_somebody_else_does_not_open_the_old_account(client, acme, carol, wire):
    """Carol leaves; the provider gives her address to a newcomer, who has another subject."""
    prove(acme, "acme.example")
    provider = provider_of(acme, wire)
    return_from(client, provider, acme)
    client.logout()
    provider.subject = "the-newcomer"
    assert return_from(client, provider, acme).status_code == 403
    assert not is_signed_in(client)


def test_an_address_that_is_changed_at_the_provider_does_not_open_another_account(client, acme, carol, wire):
    mallory = factories.UserFactory.create(username="mallory", email="mallory@acme.example")
    Membership.objects.create(user=mallory, organization=acme, role=Membership.Role.LIMITED_TEAM_MEMBER)
    prove(acme, "acme.example")
    provider = provider_of(acme, wire, subject="of-mallory", email="mallory@acme.example")
    return_from(client, provider, acme)
    client.logout()
    provider.email = "carol@acme.example"
    return_from(client, provider, acme)
    assert client.session["_auth_user_id"] == str(mallory.pk)


def test_the_answer_of_one_provider_is_not_taken_at_anothers_address(client, acme, globex, carol, wire):
    """Mix-up: Globex's provider hands its own code to the sign-in that was begun at Acme's."""
    prove(acme, "acme.example")
    prove(globex, "globex.example")
    provider_of(acme, wire)
    evil = provider_of(globex, wire, email="carol@acme.example")
    begin(client, "carol@acme.example")
    back = evil.authorize(begin(client, "x@globex.example"))
    at_acme = back.removeprefix("http://testserver").replace("/complete/globex/", "/complete/acme/")
    assert client.get(at_acme).status_code == 403
    assert not is_signed_in(client)


def test_the_same_issuer_and_client_entered_by_another_organization_opens_nothing_of_the_first(
    client, acme, globex, carol, wire
):
    prove(acme, "acme.example")
    prove(globex, "globex.example")
    provider = provider_of(acme, wire)
    set_up(globex, provider)
    assert return_from(client, provider, globex).status_code == 403


def test_removing_a_member_or_the_proof_ends_the_session(client, acme, carol, wire):
    prove(acme, "acme.example")
    provider = provider_of(acme, wire)
    for end in (
        lambda: ProviderIdentity.objects.all().delete(),
        lambda: SignInDomain.objects.update(proven_at=None),
    ):
        SignInDomain.objects.filter(proven_at=None).delete()
        SignInDomain.objects.get_or_create(
            organization=acme, domain="acme.example", defaults={"proven_at": carol.date_joined}
        )
        return_from(client, provider, acme)
        assert client.get("/").status_code == 200
        end()
        assert client.get("/").status_code == 403


@pytest.fixture
def member(acme):
    """A Team Member whose organization may demand single sign-on."""
    user = factories.UserFactory.create(username="dora", email="dora@acme.example")
    Membership.objects.create(user=user, organization=acme, role=Membership.Role.TEAM_MEMBER)
    return user


@pytest.fixture
def demanding(acme, wire):
    prove(acme, "acme.example")
    provider = provider_of(acme, wire, email="dora@acme.example")
    IdentityProvider.objects.update(mode="required")
    return provider


def test_a_password_does_not_sign_in_where_single_sign_on_is_demanded(client, member, demanding):
    known = client.post("/login/", {"username": "dora", "password": PASSWORD})
    unknown = client.post("/login/", {"username": "nobody", "password": PASSWORD})
    assert not is_signed_in(client)
    assert known.status_code == unknown.status_code == 200
    assert "correct username and password" in known.content.decode()
    assert client.login(username="dora", password=PASSWORD) is False


def test_no_password_link_is_sent_where_single_sign_on_is_demanded(client, member, demanding, acme, carol):
    for address in ("dora@acme.example", "carol@acme.example", "nobody@acme.example"):
        assert client.post("/password/forgotten/", {"email": address})["Location"] == "/password/sent/"
    answer_requests()
    emails = acme.effects.filter(kind="send_email")
    assert [email.member.user.username for email in emails] == ["carol"]  # the Super Admin keeps a way in


def test_a_password_session_from_before_does_not_open_what_demands_single_sign_on(
    client, member, acme, globex, wire
):
    client.post("/login/", {"username": "dora", "password": PASSWORD})
    assert client.get("/").status_code == 200
    prove(acme, "acme.example")
    provider_of(acme, wire)
    IdentityProvider.objects.update(mode="required")
    answer = client.get("/")
    assert answer.status_code == 403
    assert "single sign-on" in answer.content.decode()
    Membership.objects.create(user=member, organization=globex, role=Membership.Role.ADMIN)
    assert "Globex" in client.get("/").content.decode()
    assert client.post("/organization/", {"organization": "acme"}).status_code == 404


def test_a_member_of_another_organization_keeps_the_password_for_that_one(client, member, demanding, globex):
    Membership.objects.create(user=member, organization=globex, role=Membership.Role.ADMIN)
    assert client.post("/login/", {"username": "dora", "password": PASSWORD})["Location"] == "/"
    page = client.get("/").content.decode()
    assert "Globex" in page
    assert client.post("/organization/", {"organization": "acme"}).status_code == 404
    assert sign_in(client, demanding, "dora@acme.example").status_code == 302
    assert "Acme" in client.get("/").content.decode()


def test_a_super_admin_keeps_the_password_to_mend_a_broken_provider(client, carol, demanding):
    assert client.post("/login/", {"username": "carol", "password": PASSWORD})["Location"] == "/"
    assert "Acme" in client.get("/").content.decode()
