"""The page where a Super Admin sets up single sign-on."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.health.doctor import operational_findings
from integrations.single_sign_on.acts.provider import check_single_sign_on
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain
from tests.portal.accounts.single_sign_on_scene import prove, set_up
from tests.support import factories
from tests.support.identity_provider import PORTAL_SECRET, Provider, fake_wire
from tests.support.nameserver import serving_names

PAGE = "/settings/sso/"
FORM = {
    "issuer": "https://login.acme.example",
    "client_id": "portal",
    "client_secret": PORTAL_SECRET,
    "counts_as_second_factor": "on",
}


@pytest.fixture
def provider(wire):
    provider = Provider(FORM["issuer"], email="owner@acme.example")
    fake_wire(provider, wire)
    return provider


def told(client, answer) -> str:
    """Follow the redirect and return the page."""
    assert answer.status_code == 302
    return client.get(answer["Location"].partition("#")[0]).content.decode()


def test_a_provider_is_stored_and_asked(super_admin_client, organization, provider):
    page = told(super_admin_client, super_admin_client.post(PAGE, FORM))
    assert "The provider is stored, and answers" in page
    assert PORTAL_SECRET not in page
    assert f"http://testserver/sso/complete/{organization.slug}/" in page
    row = IdentityProvider.objects.get()
    assert (row.client_secret, row.mode, row.failure) == (PORTAL_SECRET, "off", "")
    assert row.checked_at


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"issuer": "https://login.globex.example"}, "names another issuer: https://login.globex.example"),
        ({"issuer": None}, "names another issuer: none"),
        ({"token_endpoint": None}, "has no token_endpoint"),
        ({"token_endpoint": "https://169.254.169.254/token"}, "leads into a private network"),
        ({"jwks_uri": "http://login.acme.example/keys"}, "must begin with https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "must begin with https"),
    ],
)
def test_a_discovery_document_that_is_wrong_is_explained(super_admin_client, provider, document, reason):
    provider.document = document
    page = told(super_admin_client, super_admin_client.post(PAGE, FORM))
    assert "can&#x27;t be used yet" in page
    assert reason in page


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("issuer", "http://login.acme.example", "must begin with https"),
        ("issuer", "https://127.0.0.1:8000", "private network"),
        ("issuer", "https://login.acme.example?tenant=1", "Copy the issuer alone"),
        ("issuer", "", "required"),
        ("issuer", "https://x/" + "y" * 500, "at most 500"),
        ("client_id", "ключ", "plain characters"),
        ("client_id", " ", "required"),
        ("client_secret", "sécret", "plain characters"),
        ("client_secret", "a\nb", "plain characters"),
    ],
)
def test_malformed_input_is_explained_and_nothing_is_stored(super_admin_client, db, name, value, reason):
    answer = super_admin_client.post(PAGE, {**FORM, name: value})
    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert not IdentityProvider.objects.exists()
    assert PORTAL_SECRET not in answer.content.decode()


def test_an_empty_secret_keeps_the_stored_one_and_saving_again_records_nothing(super_admin_client, provider):
    super_admin_client.post(PAGE, FORM)
    count = AuditEntry.objects.count()
    told(super_admin_client, super_admin_client.post(PAGE, {**FORM, "client_secret": ""}))
    assert IdentityProvider.objects.get().client_secret == PORTAL_SECRET
    assert AuditEntry.objects.count() == count


def test_another_issuer_turns_it_off_and_unbinds_everybody(
    super_admin_client, organization, super_admin, provider, wire
):
    prove(organization)
    row = set_up(organization, provider, "required")
    ProviderIdentity.objects.create(provider=row, user=super_admin, subject="s")
    fake_wire(Provider("https://login.other.example"), wire)
    super_admin_client.post(PAGE, {**FORM, "issuer": "https://login.other.example"})
    row.refresh_from_db()
    assert (row.mode, row.tried_at) == ("off", None)
    assert not ProviderIdentity.objects.exists()


def test_a_new_secret_keeps_it_on(super_admin_client, organization, provider):
    prove(organization)
    row = set_up(organization, provider, "required")
    super_admin_client.post(PAGE, {**FORM, "client_secret": "rotated"})
    row.refresh_from_db()
    assert (row.mode, row.client_secret) == ("required", "rotated")


def test_it_is_used_only_when_it_was_tried_and_a_domain_is_proven(super_admin_client, organization, provider):
    post = lambda: super_admin_client.post(reverse("single-sign-on-mode"), {"mode": "required"})  # noqa: E731
    assert "Enter the provider first" in told(super_admin_client, post())
    super_admin_client.post(PAGE, FORM)
    assert "Try it first" in told(super_admin_client, post())
    IdentityProvider.objects.update(tried_at=timezone.now())
    assert "Verify an e-mail domain first" in told(super_admin_client, post())
    prove(organization)
    assert "Your choice is stored" in told(super_admin_client, post())
    assert IdentityProvider.objects.get().mode == "required"


def test_an_unknown_choice_is_refused(super_admin_client, organization, provider):
    set_up(organization, provider)
    answer = super_admin_client.post(reverse("single-sign-on-mode"), {"mode": "sometimes"})
    assert "There is no such choice" in told(super_admin_client, answer)


def try_it(client, provider):
    answer = client.post(reverse("single-sign-on-try"))
    assert answer.status_code == 200
    target = answer["Refresh"].partition("url=")[2]
    return client.get(provider.authorize(target).removeprefix("http://testserver"))


def test_trying_keeps_the_session_and_records_that_it_works(
    super_admin_client, super_admin, organization, provider
):
    prove(organization)
    super_admin_client.post(PAGE, FORM)
    before = super_admin_client.session.session_key
    page = told(super_admin_client, try_it(super_admin_client, provider))
    assert "It works: your provider vouches for owner@acme.example" in page
    assert super_admin_client.session.session_key == before
    assert IdentityProvider.objects.get().tried_at
    assert AuditEntry.objects.filter(action="try_single_sign_on", actor=super_admin).count() == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"is_verified": False}, "email_verified"),
        ({"email": "owner@elsewhere.example"}, "isn&#x27;t verified"),
        ({"changes": {"aud": "another"}}, "made for somebody else"),
        ({"error": "access_denied"}, "was refused or cancelled"),
    ],
)
def test_trying_what_does_not_work_says_why(super_admin_client, organization, provider, claims, reason):
    prove(organization)
    super_admin_client.post(PAGE, FORM)
    for name, value in claims.items():
        setattr(provider, name, value)
    assert reason in told(super_admin_client, try_it(super_admin_client, provider))
    assert IdentityProvider.objects.get().tried_at is None


def test_trying_without_a_provider_or_as_an_admin_is_refused(super_admin_client, organization_admin_client):
    assert "Enter the provider first" in told(
        super_admin_client, super_admin_client.post(reverse("single-sign-on-try"))
    )
    assert organization_admin_client.post(reverse("single-sign-on-try")).status_code == 403


def test_a_try_that_is_finished_by_somebody_else_records_nothing(
    super_admin_client, client, organization, provider
):
    prove(organization)
    super_admin_client.post(PAGE, FORM)
    answer = super_admin_client.post(reverse("single-sign-on-try"))
    back = provider.authorize(answer["Refresh"].partition("url=")[2]).removeprefix("http://testserver")
    assert client.get(back).status_code == 403
    assert IdentityProvider.objects.get().tried_at is None


def test_a_domain_is_added_shown_with_its_record_checked_and_removed(
    super_admin_client, organization, monkeypatch
):
    page = told(
        super_admin_client, super_admin_client.post(reverse("domain-add"), {"domain": "Acme.example"})
    )
    domain = SignInDomain.objects.get()
    assert domain.record_name in page
    assert domain.record_text in page
    check = reverse("domain-check", kwargs={"pk": domain.pk})
    with serving_names(monkeypatch) as names:
        assert "There is no such record yet" in told(super_admin_client, super_admin_client.post(check))
        names.records[domain.record_name] = [domain.record_text]
        page = told(super_admin_client, super_admin_client.post(check))
    assert "the domain is verified" in page
    assert domain.record_text not in page
    told(super_admin_client, super_admin_client.post(reverse("domain-remove", kwargs={"pk": domain.pk})))
    assert not SignInDomain.objects.exists()


def test_a_malformed_domain_is_explained(super_admin_client):
    answer = super_admin_client.post(reverse("domain-add"), {"domain": "<script>"})
    assert "Enter what follows the @" in told(super_admin_client, answer)


def test_another_organizations_domain_and_people_are_not_found(stranger_client, organization, super_admin):
    domain = SignInDomain.objects.create(organization=organization, domain="acme.example")
    identity = ProviderIdentity.objects.create(
        provider=set_up(organization, Provider("https://login.acme.example")), user=super_admin, subject="s"
    )
    for name, pk in (
        ("domain-check", domain.pk),
        ("domain-remove", domain.pk),
        ("identity-unbind", identity.pk),
    ):
        assert stranger_client.post(reverse(name, kwargs={"pk": pk})).status_code == 404


def test_a_secret_that_no_key_opens_is_entered_again(super_admin_client, organization, provider, settings):
    from cryptography.fernet import Fernet

    prove(organization)
    set_up(organization, provider)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    page = super_admin_client.get(PAGE).content.decode()
    assert "No readable secret is stored" in page
    assert {"single_sign_on_failing"} <= {finding.code for finding in operational_findings(organization)}
    answer = super_admin_client.post(reverse("single-sign-on-try"))
    assert "enters it again" in told(super_admin_client, answer)
    super_admin_client.post(PAGE, FORM)
    assert IdentityProvider.objects.get().client_secret == PORTAL_SECRET


def codes(organization) -> set[str]:
    return {
        finding.code
        for finding in operational_findings(organization)
        if finding.code.startswith(("single_sign_on", "sign_in"))
    }


def test_the_regular_check_finds_what_stops_working(organization, provider, monkeypatch):
    domain = prove(organization)
    set_up(organization, provider)
    with serving_names(monkeypatch) as names:
        names.records[domain.record_name] = [domain.record_text]
        check_single_sign_on(organization)
        assert codes(organization) == set()
        names.records.clear()
        provider.document = {"issuer": "https://login.globex.example"}
        check_single_sign_on(organization)
    assert codes(organization) == {"single_sign_on_failing", "sign_in_domain_gone"}
    SignInDomain.objects.all().delete()
    assert "no e-mail domain is verified" in str(operational_findings(organization))


def test_the_regular_check_without_single_sign_on_does_nothing(organization):
    check_single_sign_on(organization)
    assert codes(organization) == set()


def test_unbinding_and_removing_the_provider_are_for_super_admins(super_admin_client, organization, provider):
    row = set_up(organization, provider)
    person = factories.member(organization, "admin", "dora")
    identity = ProviderIdentity.objects.create(provider=row, user=person, subject="s")
    page = told(
        super_admin_client, super_admin_client.post(reverse("identity-unbind", kwargs={"pk": identity.pk}))
    )
    assert "is linked again at their next sign-in" in page
    told(super_admin_client, super_admin_client.post(reverse("single-sign-on-remove")))
    assert not IdentityProvider.objects.exists()
