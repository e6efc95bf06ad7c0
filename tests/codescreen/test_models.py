"""CodeScreen's key and webhook secret: what is refused, how a key is verified, and tried before it replaces another."""

import pytest
from django.core.exceptions import ValidationError

from integrations.catalog.models import Assessment
from integrations.clients import provider
from integrations.codescreen.acts import (
    KeyRefused,
    KeyStored,
    KeyStoredUntried,
    KeyUntried,
    replace_codescreen_key,
    save_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.checks.connections import check_key
from integrations.organizations.models.organization import Organization
from integrations.queue.duties import retry_refused_key
from integrations.queue.waiting import verify_codescreen_key
from integrations.store.encryption import sealed
from tests.support import factories
from tests.support.factories import recorded


@pytest.mark.parametrize("key", ["", "   ", "x" * 501, "two\nlines", "schlüssel", "nul\x00"])
def test_an_impossible_key_is_refused(organization, super_admin, key):
    with pytest.raises(ValidationError, match="Copy the whole"):
        save_codescreen_key(organization, key, super_admin)


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_not base64", "whsec_c2hvcnQ=", "whsec_" + "QUFB" * 40]
)
def test_an_impossible_webhook_secret_is_refused(organization, super_admin, secret):
    with pytest.raises(ValidationError, match="whsec_"):
        save_codescreen_webhook_secret(organization, secret, super_admin)


NOBODY = "http://127.0.0.1:9/nobody"


@pytest.fixture
def stored(sandbox, organization):
    """The connection with a key that works."""
    return factories.CodeScreenConnectionFactory.create(organization=organization, api_key="working-key")


def test_a_key_that_is_accepted_is_stored_with_the_assessments(stored, organization, sandbox, super_admin):
    outcome = replace_codescreen_key(organization, f" {sandbox.api_key}\n", super_admin)
    assert outcome == KeyStored(Assessment.objects.filter(organization=organization).count())
    stored.refresh_from_db()
    assert (stored.api_key, stored.state) == (sandbox.api_key, "connected")
    assert stored.verified_at is not None
    assert recorded().get().changes == {"api_key": ["set", "set"]}


def test_a_refused_key_replaces_nothing(stored, organization, super_admin):
    outcome = replace_codescreen_key(organization, "wrong-key", super_admin)
    assert isinstance(outcome, KeyRefused)
    assert "wrong-key" not in outcome.reason
    stored.refresh_from_db()
    assert (stored.api_key, stored.is_working) == ("working-key", True)
    assert not recorded().exists()


def calls_of_list(organization):
    """Return by which names the list was asked for since the last look, and what was answered."""
    calls = organization.calls.filter(platform="codescreen").order_by("pk")
    asked = [(call.path, call.status) for call in calls]
    calls.delete()
    return asked


NONE_THERE = [("/assessments", 404), ("/listAssessments", 404), ("/listTests", 404)]


@pytest.mark.parametrize("number", range(3))
def test_a_key_is_connected_by_whichever_name_the_list_has(organization, sandbox, super_admin, number):
    path = NONE_THERE[number][0]
    sandbox.codescreen_does("settings", list_path=path)
    assert isinstance(replace_codescreen_key(organization, sandbox.api_key, super_admin), KeyStored)
    row = CodeScreenConnection.objects.get()
    assert (row.state, row.list_path) == ("connected", path)
    assert calls_of_list(organization) == [*NONE_THERE[:number], (path, 200)]
    organization = Organization.objects.reread(organization.pk)
    verify_codescreen_key(organization, provider.codescreen_client(organization))
    assert calls_of_list(organization) == [(path, 200)]


def test_the_other_names_are_tried_when_the_kept_one_is_gone(connected_organization):
    CodeScreenConnection.objects.update(list_path="/listTests")
    organization = Organization.objects.reread(connected_organization.pk)
    verify_codescreen_key(organization, provider.codescreen_client(organization))
    assert calls_of_list(organization) == [("/listTests", 404), ("/assessments", 200)]
    assert CodeScreenConnection.objects.get().list_path == "/assessments"


def test_a_key_is_not_connected_where_no_list_is_read(organization, sandbox, super_admin):
    sandbox.codescreen_does("settings", list_path="")
    outcome = replace_codescreen_key(organization, sandbox.api_key, super_admin)
    assert isinstance(outcome, KeyStoredUntried)
    assert "not CodeScreen's API" in outcome.reason
    assert calls_of_list(organization) == NONE_THERE
    row = CodeScreenConnection.objects.get()
    assert (row.state, row.is_working) == ("not_found", False)
    organization = Organization.objects.reread(organization.pk)
    assert organization.disconnected_reason.startswith(("Lever", "CodeScreen's API isn't"))
    assert [found.code for found in check_key(organization)] == ["codescreen_not_found"]
    sandbox.codescreen_does("settings", list_path="/listTests")
    retry_refused_key(organization)
    assert CodeScreenConnection.objects.get().state == "connected"
    assert not list(check_key(Organization.objects.reread(organization.pk)))


def test_a_key_that_was_stored_untried_is_found_and_connected_at_its_first_use(
    scenario, sandbox, super_admin
):
    sandbox.codescreen_does("settings", list_path="/listAssessments")
    key = sandbox.api_key
    CodeScreenConnection.objects.all().delete()
    save_codescreen_key(Organization.objects.reread(scenario.organization.pk), key, super_admin)
    [told] = check_key(Organization.objects.reread(scenario.organization.pk))
    assert (told.code, told.level) == ("codescreen_not_connected", "warning")
    scenario.enter()
    assert CodeScreenConnection.objects.get().state == "connected"
    assert sandbox.invitations_sent() == 1


def test_a_key_that_cannot_be_tried_replaces_a_working_one_only_if_a_person_says_so(
    stored, organization, super_admin, settings
):
    settings.CODESCREEN_API_URL = NOBODY
    assert isinstance(replace_codescreen_key(organization, "new-key", super_admin), KeyUntried)
    stored.refresh_from_db()
    assert stored.api_key == "working-key"
    stored.mark_unusable("refused", "401")
    assert isinstance(replace_codescreen_key(organization, "other-key", super_admin), KeyStoredUntried)
    CodeScreenConnection.objects.update(**sealed(stored, api_key="working-key"), state="connected")
    outcome = replace_codescreen_key(organization, "new-key", super_admin, may_be_untried=True)
    assert isinstance(outcome, KeyStoredUntried)
    stored.refresh_from_db()
    assert (stored.api_key, stored.verified_at, stored.state) == ("new-key", None, "untried")
