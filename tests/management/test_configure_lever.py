"""`configure`: Lever by an API key, in its region and in a user's name."""

import pytest
from django.core.management import CommandError
from django.utils import timezone

from integrations.clients import provider
from integrations.health.checks.connections import check_connection
from integrations.http.session import NotConnected
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.management.conftest import printed_by
from tests.support import factories

NAMED = '[organization]\nname = "Acme"\nslug = "acme"\n[lever]\n'


def lever_user(sandbox):
    account = sandbox.lever.accounts["acme"]
    return next(user for user in account.users.values() if user.deactivated_at is None)


def connection():
    return LeverConnection.objects.get()


def test_a_file_connects_lever_and_names_the_author_by_address(configure, sandbox):
    sandbox.lever_does("settings", region="eu")
    user, key = lever_user(sandbox), sandbox.lever_does("key")["api_key"]
    file = f'{NAMED}api_key = "{key}"\nperform_as = "{user.email.upper()}"\nregion = "eu"\n'
    printed = configure(file)
    assert key not in printed
    assert "+ lever.api_key: set" in printed
    assert '+ lever.region: "eu"' in printed
    assert provider.lever_client(Organization.objects.get()).stages()
    stored = connection()
    assert (stored.lever_user_id, stored.lever_user_email, stored.region) == (user.id, user.email, "eu")
    connected_at = stored.connected_at
    for author in (user.email, user.id):
        configure(f'{NAMED}api_key = "{key}"\nperform_as = "{author}"\nregion = "eu"\n')
        assert connection().connected_at == connected_at


def test_an_address_that_lever_does_not_have_keeps_what_arrives_and_is_a_finding(configure, sandbox):
    key = sandbox.lever_does("key")["api_key"]
    configure(f'{NAMED}api_key = "{key}"\nperform_as = "nobody@acme.example"\n')
    with pytest.raises(NotConnected):
        provider.lever_client(Organization.objects.get())
    [finding] = check_connection(Organization.objects.get())
    assert finding.code == "lever_reconnect"
    assert "perform_as" in finding.message
    configure(f'{NAMED}perform_as = "{lever_user(sandbox).email}"\n')
    assert provider.lever_client(Organization.objects.get()).stages()
    assert list(check_connection(Organization.objects.get())) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('api_key = "key-1"', "lever.perform_as is missing"),
        ('perform_as = "ada@acme.example"', "lever.perform_as needs a lever.api_key"),
        ('region = "eu"', "lever.region needs a lever.api_key"),
        ('api_key = "key-1"\nperform_as = "u"\nregion = "mars"', "lever.region"),
        ('api_key = "key:1"\nperform_as = "u"', "Copy the whole API key from Lever"),
    ],
)
def test_what_is_missing_or_wrong_beside_a_key_is_named(configure, db, keys, message):
    with pytest.raises(CommandError, match=message):
        configure(f"{NAMED}{keys}\n")
    assert not LeverConnection.objects.exists()


def test_a_file_replaces_a_consent_and_is_exported_without_the_key(configure, db):
    organization = factories.OrganizationFactory(slug="acme", name="Acme")
    factories.LeverConnectionFactory(organization=organization)
    configure(f'{NAMED}api_key = "key-1"\nperform_as = "user-1"\n')
    stored = connection()
    assert (stored.api_key, stored.access_token, stored.refresh_token) == ("key-1", "", "")
    assert stored.connected_at <= timezone.now()
    file = printed_by("export_config", "acme")
    assert "key-1" not in file
    assert "# api_key is set; secrets are left out" in file
    assert 'perform_as = "user-1"' in file
