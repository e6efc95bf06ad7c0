"""Signing in by an organization's provider: the way through, and tokens that a provider should never have made."""

import base64
import hashlib
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import time_machine
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from social_django.models import Association, Nonce

from integrations.audit.models.entry import AuditEntry
from integrations.members.models.membership import Membership
from integrations.single_sign_on.acts.provider import delete_unfinished
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity
from portal.accounts.single_sign_on_join import NEXT_SESSION_KEY
from tests.portal.accounts.single_sign_on_scene import begin, is_signed_in, prove, set_up, sign_in
from tests.support import factories
from tests.support.identity_provider import Provider, fake_wire


@pytest.fixture
def provider(wire):
    """Acme's provider, at which Carol is."""
    provider = Provider("https://login.acme.example")
    fake_wire(provider, wire)
    return provider


@pytest.fixture
def row(organization, provider):
    """The provider as the organization has stored it."""
    prove(organization)
    return set_up(organization, provider)


@pytest.fixture
def carol(organization):
    """A Team Member with an address in the proven domain."""
    user = factories.member(organization, Membership.Role.TEAM_MEMBER, "carol")
    user.email = "carol@acme.example"
    user.save()
    return user


def test_the_provider_signs_a_member_in(client, provider, row, carol, organization):
    answer = sign_in(client, provider)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert organization.name in client.get("/").content.decode()
    identity = ProviderIdentity.objects.get()
    assert (identity.user, identity.subject) == (carol, "subject-1")
    assert identity.signed_in_at is not None


def test_the_page_that_the_person_came_for_is_shown_afterwards(client, provider, row, carol):
    assert sign_in(client, provider, next="/activity/")["Location"] == "/activity/"
    assert sign_in(client, provider, next="https://evil.example/")["Location"] == "/"


def test_no_search_for_a_candidate_waits_in_the_session(client, provider, row, carol):
    begin(client, next="/activity/?q=Alder+Birch&view=held")
    assert client.session[NEXT_SESSION_KEY] == "/activity/?view=held"


def test_the_second_sign_in_goes_by_subject_whatever_the_address(client, provider, row, carol):
    sign_in(client, provider)
    provider.email, provider.is_verified = "carol.married@elsewhere.example", False
    client.logout()
    assert sign_in(client, provider).status_code == 302
    assert client.session["_auth_user_id"] == str(carol.pk)


def test_the_address_is_read_from_userinfo_when_the_token_has_none(client, provider, row, carol):
    provider.changes = {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "subject-1", "email": "Carol@ACME.example", "email_verified": True}
    assert sign_in(client, provider).status_code == 302


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"email_verified": "true"}, 302),
        ({"email_verified": None, "xms_edov": True}, 302),
        ({"email_verified": None, "xms_edov": "1"}, 302),
        ({"email_verified": "yes"}, 403),
        ({"email_verified": 1.5}, 403),
        ({"email_verified": ["true"]}, 403),
        ({"email_verified": False, "xms_edov": True}, 403),
        ({"email_verified": None, "xms_edov": {"a": 1}}, 403),
    ],
)
def test_an_address_counts_when_the_provider_calls_it_verified(client, provider, row, carol, claims, status):
    provider.changes = claims
    assert sign_in(client, provider).status_code == status


def test_binding_and_refusals_are_in_the_audit_log(client, provider, row, carol, organization):
    sign_in(client, provider)
    client.logout()
    provider.subject, provider.email = "subject-2", "stranger@acme.example"
    assert sign_in(client, provider).status_code == 403
    entries = AuditEntry.objects.filter(
        organization=organization, action__in=["bind_identity", "refuse_sign_in"]
    )
    assert {(entry.action, entry.reason) for entry in entries} == {
        ("bind_identity", ""),
        ("refuse_sign_in", "not_a_member"),
    }
    assert not any("stranger" in str(entry.__dict__) for entry in entries)


def test_the_request_asks_for_a_code_with_state_nonce_and_pkce(client, provider, row, carol):
    target = begin(client, "carol@acme.example")
    for part in (
        "response_type=code",
        "code_challenge_method=S256",
        "nonce=",
        "state=",
        "scope=openid+email",
        "login_hint=carol%40acme.example",
        "redirect_uri=http%3A%2F%2Ftestserver%2Fsso%2Fcomplete%2Forg-",
    ):
        assert part in target


def test_an_address_adds_no_parameters_to_the_request(client, provider, row):
    target = begin(client, "a&state=of-somebody&nonce=n+1@acme.example")
    query = parse_qs(urlsplit(target).query)
    assert query["login_hint"] == ["a&state=of-somebody&nonce=n+1@acme.example"]
    assert all(len(values) == 1 for values in query.values())


NOW = int(time.time())
HOSTILE: dict[str, dict[str, Any]] = {
    "another audience": {"changes": {"aud": "another-client"}},
    "two audiences without azp": {"changes": {"aud": ["portal", "another"]}},
    "another authorized party": {"changes": {"azp": "another-client"}},
    "another issuer": {"changes": {"iss": "https://login.globex.example"}},
    "another nonce": {"changes": {"nonce": "of-another-sign-in"}},
    "no nonce": {"changes": {"nonce": None}},
    "expired": {"changes": {"exp": NOW - 3600}},
    "no expiry": {"changes": {"exp": None}},
    "issued an hour ago": {"changes": {"iat": NOW - 3600}},
    "no subject": {"changes": {"sub": None}},
    "an empty subject": {"changes": {"sub": ""}},
    "a subject that is no text": {"changes": {"sub": 7}},
    "a huge subject": {"changes": {"sub": "x" * 5000}},
    "a subject with NUL": {"changes": {"sub": "a\x00b"}},
    "a time of signing in that no float holds": {"changes": {"auth_time": 10**400}},
    "another access token": {"changes": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "alg none": {"algorithm": "none"},
    "signed with the client's secret": {"algorithm": "HS256"},
    "signed with another key": {"key": 1},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_signs_nobody_in(client, provider, row, carol, name):
    for attribute, value in HOSTILE[name].items():
        setattr(provider, attribute, value)
    answer = sign_in(client, provider)
    assert answer.status_code == 403
    assert "You were not signed in" in answer.content.decode()
    assert not is_signed_in(client)
    assert not ProviderIdentity.objects.exists()


REFUSED: dict[str, dict[str, Any]] = {
    "an unverified address": {"is_verified": False},
    "an address without a word on it": {"changes": {"email_verified": None}},
    "no address": {"changes": {"email": None}},
    "an address that is no text": {"changes": {"email": ["carol@acme.example"]}},
    "an address in a domain that isn't proven": {"email": "carol@globex.example"},
    "a subdomain of the proven one": {"email": "carol@mail.acme.example"},
    "two at signs": {"email": "carol@acme.example@evil.example"},
    "a letter that looks alike": {"email": "\u212aarol@acme.example"},
    "UserInfo of somebody else": {
        "changes": {"email": None},
        "userinfo": {"sub": "subject-9", "email": "carol@acme.example", "email_verified": True},
    },
    "UserInfo of nobody": {
        "changes": {"email": None},
        "userinfo": {"email": "carol@acme.example", "email_verified": True},
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_claims_that_prove_no_address_sign_nobody_in(client, provider, row, carol, name):
    for attribute, value in REFUSED[name].items():
        setattr(provider, attribute, value)
    answer = sign_in(client, provider)
    assert answer.status_code == 403
    assert not is_signed_in(client)


def test_an_unsigned_token_signs_nobody_in(client, provider, row, carol, monkeypatch):
    signed = provider._id_token
    monkeypatch.setattr(provider, "_id_token", lambda nonce: signed(nonce).rpartition(".")[0] + ".")
    assert sign_in(client, provider).status_code == 403


def test_a_token_whose_claims_were_changed_after_signing_signs_nobody_in(
    client, provider, row, carol, monkeypatch
):
    signed = provider._id_token

    def change(nonce):
        head, body, signature = signed(nonce).split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        claims["email"] = "owner@acme.example"
        return ".".join(
            [head, base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), signature]
        )

    monkeypatch.setattr(provider, "_id_token", change)
    assert sign_in(client, provider).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"id_token": 3}', b'{"access_token": "a"}', b"\xff" * 99],
    ids=["nothing", "a list", "null", "a number", "no token", "no text"],
)
def test_an_unreadable_token_answer_is_explained(client, organization, carol, body, wire):
    provider = Provider("https://login.acme.example")
    prove(organization)
    set_up(organization, provider)
    wire.add("GET", f"{provider.issuer}/.well-known/openid-configuration", json=provider._discovery())
    wire.add("POST", f"{provider.issuer}/token", body=body)
    assert sign_in(client, provider).status_code == 403


def test_a_discovery_document_that_somebody_put_into_the_cache_is_not_used(client, provider, row, carol):
    key = f"single-sign-on:{row.pk}:{hashlib.sha256(provider.issuer.encode()).hexdigest()}"
    cache.set(key, {**provider._discovery(), "token_endpoint": "https://evil.example/token"})
    assert sign_in(client, provider).status_code == 302
    assert is_signed_in(client)


def test_a_state_of_another_browser_signs_nobody_in(client, client_for, provider, row, carol, stranger):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    assert client_for(stranger).get(back).status_code == 403
    other = type(client)()
    assert other.get(back).status_code == 403
    assert not is_signed_in(other)


def test_a_changed_state_signs_nobody_in(client, provider, row, carol):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    for state in ("", "&state=", "&state=another", "&state=" + "x" * 500, "&state=a%01b"):
        answer = client.get(back.split("?")[0] + "?code=" + next(iter(provider.codes)) + state)
        assert answer.status_code == 403
    assert not is_signed_in(client)


def test_an_answer_that_is_replayed_signs_nobody_in(client, provider, row, carol):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    assert client.get(back).status_code == 302
    client.logout()
    assert client.get(back).status_code == 403
    assert not is_signed_in(client)


def test_a_code_that_was_used_elsewhere_signs_nobody_in(client, provider, row, carol):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    next(iter(provider.codes.values())).is_used = True
    answer = client.get(back)
    assert answer.status_code == 403


def test_an_answer_that_names_another_issuer_signs_nobody_in(client, provider, row, carol):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    assert client.get(f"{back}&iss=https://login.globex.example").status_code == 403


def test_a_refusal_at_the_provider_is_explained_without_its_text(client, provider, row, carol):
    provider.error = "access_denied"
    answer = sign_in(client, provider)
    assert answer.status_code == 403
    assert "access_denied" not in answer.content.decode()


@pytest.mark.parametrize("address", ["nobody@unknown.example", "carol@acme.example"])
def test_the_answer_for_a_domain_without_provider_says_nothing_about_members(client, carol, address):
    answer = client.post("/sso/login/", {"email": address})
    assert answer.status_code == 200
    assert "No organization here has set up single sign-on" in answer.content.decode()


def test_the_way_to_the_provider_is_the_same_for_members_and_others(client, provider, row, carol):
    known = begin(client, "carol@acme.example").split("?")[0]
    assert begin(client, "nobody@acme.example").split("?")[0] == known


def test_a_provider_that_is_off_signs_nobody_in(client, provider, row, carol):
    back = provider.authorize(begin(client)).removeprefix("http://testserver")
    IdentityProvider.objects.update(mode="off")
    assert client.get(back).status_code == 403
    assert client.post("/sso/login/", {"email": "carol@acme.example"}).status_code == 200
    assert not is_signed_in(client)


def test_an_unknown_organization_is_answered_as_one_without_provider(client, db, organization):
    unknown = client.get(reverse("single-sign-on-complete", kwargs={"slug": "nobody-here"}))
    known = client.get(reverse("single-sign-on-complete", kwargs={"slug": organization.slug}))
    assert unknown.status_code == known.status_code == 403
    assert unknown.content.decode().count("Single sign-on is off") == 1


def test_a_provider_that_cannot_be_reached_is_explained(client, organization, carol):
    prove(organization)
    set_up(organization, Provider("https://login.acme.example"))
    with responses.RequestsMock():
        answer = client.post("/sso/login/", {"email": "carol@acme.example"})
    assert "can&#x27;t be reached" in answer.content.decode()


def test_sign_ins_that_were_never_finished_leave_no_rows(client, provider, row, organization):
    begin(client)
    assert (Nonce.objects.count(), Association.objects.count()) == (1, 1)
    delete_unfinished(row)
    assert (Nonce.objects.count(), Association.objects.count()) == (1, 1)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        delete_unfinished(row)
    assert (Nonce.objects.count(), Association.objects.count()) == (0, 0)
