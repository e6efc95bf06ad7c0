"""Super Admins are told of each change of single sign-on, as the person is of their second factor."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from integrations.members.acts.members import change_role
from integrations.members.models.membership import Membership
from integrations.queue import worker
from integrations.single_sign_on.acts.domains import add_domain, check_domain, remove_domain
from integrations.single_sign_on.acts.provider import (
    ProviderSettings,
    note_try,
    remove_provider,
    save_provider,
    set_mode,
)
from integrations.single_sign_on.models import IdentityProvider, SignInDomain
from tests.portal.accounts.single_sign_on_scene import prove
from tests.support import factories
from tests.support.nameserver import serving_names

ISSUER = "https://login.acme.example"
SECRET = "a-secret-of-the-client"


@pytest.fixture
def names(monkeypatch):
    with serving_names(monkeypatch) as server:
        yield server


@pytest.fixture
def thief(organization, super_admin):
    """A second Super Admin, whose account somebody has taken over."""
    return factories.member(organization, Membership.Role.SUPER_ADMIN, "thief")


def subjects() -> list[str]:
    """Send what is due; return the subjects; each went to every Super Admin."""
    mail.outbox.clear()
    worker.work()
    return sorted({str(message.subject) for message in mail.outbox})


def save(organization, actor, issuer: str = ISSUER) -> None:
    save_provider(
        organization, ProviderSettings(issuer=issuer, client_id="portal", client_secret=SECRET), actor
    )


def test_a_provider_that_is_added_changed_and_removed_is_told(organization, super_admin, thief):
    save(organization, thief)
    assert subjects() == [f"{organization}: the provider of single sign-on was added"]
    assert {message.to[0] for message in mail.outbox} == {super_admin.email, thief.email}
    text = mail.outbox[0].body
    assert "This was done by thief" in text
    assert ISSUER not in text, "nobody's address becomes a link"
    assert ISSUER in text.replace("\u200b", "")
    assert SECRET not in str([str(message.message()) for message in mail.outbox])
    save(organization, thief, "https://evil.example")
    assert subjects() == [f"{organization}: single sign-on was changed"]
    assert "differ now: issuer." in mail.outbox[0].body
    assert remove_provider(organization, thief)
    assert subjects() == [f"{organization}: the provider of single sign-on was removed"]


def test_offering_it_is_told_and_trying_it_is_not(organization, super_admin):
    prove(organization)
    save(organization, super_admin)
    subjects()
    provider = IdentityProvider.objects.get()
    note_try(provider, super_admin, timezone.now())
    assert subjects() == []
    assert set_mode(organization, "required", super_admin)
    assert subjects() == [f"{organization}: single sign-on was changed"]
    assert "mode" in mail.outbox[0].body
    save(organization, super_admin)
    assert subjects() == [], "nothing was changed"


def test_a_domain_that_is_proven_and_removed_is_told(names, organization, super_admin):
    domain = add_domain(organization, "acme.example", super_admin)
    remove_domain(domain, super_admin)
    domain = add_domain(organization, "acme.example", super_admin)
    assert subjects() == [], "what isn't proven opens nothing"
    names.records[domain.record_name] = [domain.record_text]
    check_domain(domain, super_admin)
    check_domain(domain, super_admin)
    assert subjects() == [f"{organization}: a domain of single sign-on was verified"]
    remove_domain(SignInDomain.objects.get(), super_admin)
    assert subjects() == [f"{organization}: a domain of single sign-on was removed"]


def test_who_is_no_super_admin_any_more_is_told_still_and_a_pause_holds_nothing(
    organization, super_admin, thief
):
    organization.paused = True
    organization.save()
    save(organization, thief)
    change_role(super_admin.memberships.get(), Membership.Role.TEAM_MEMBER, thief)
    super_admin.email = "elsewhere@evil.example"
    super_admin.save()
    assert f"{organization}: the provider of single sign-on was added" in subjects()
    told = {message.to[0] for message in mail.outbox if "single sign-on" in message.subject}
    assert told == {f"{super_admin.username}@portal.example", thief.email}


def test_every_super_admin_is_told_however_many_names_sort_earlier(organization, super_admin):
    for number in range(25):
        factories.member(organization, Membership.Role.SUPER_ADMIN, f"a{number:02}")
    save(organization, super_admin)
    mail.outbox.clear()
    worker.work()
    told = {address for message in mail.outbox for address in message.to}
    assert told == {user.email for user in User.objects.filter(memberships__organization=organization)}
