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
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
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


def test_reading_the_assessments_verifies_a_key(connected_organization, sandbox):
    assert (
        verify_codescreen_key(connected_organization, provider.codescreen_client(connected_organization))
        == connected_organization.assessments.count()
        > 0
    )
    row = CodeScreenConnection.objects.get()
    assert row.verified_at is not None


def test_a_refused_key_is_marked(connected_organization, sandbox):
    CodeScreenConnection.objects.update(**sealed(CodeScreenConnection.objects.get(), api_key="wrong"))
    with pytest.raises(PlatformError):
        verify_codescreen_key(
            connected_organization,
            provider.codescreen_client(Organization.objects.get(pk=connected_organization.pk)),
        )
    assert CodeScreenConnection.objects.get().state == "refused"


def test_a_key_that_works_again_requeues_what_waited(connected_organization, sandbox):
    CodeScreenConnection.objects.update(state="refused")
    row = factories.DeliveryFactory(
        organization=connected_organization,
        verdict="disconnected",
        decided_at="2026-01-01T00:00Z",
        due_at=None,
    )
    verify_codescreen_key(
        connected_organization, provider.codescreen_client(connected_organization, allow_refused=True)
    )
    assert CodeScreenConnection.objects.get().is_working
    assert Delivery.objects.due().get() == row


NOBODY = "http://127.0.0.1:9/nobody"


@pytest.fixture
def stored(sandbox, organization):
    """The connection with a key that works."""
    return factories.CodeScreenConnectionFactory.create(organization=organization, api_key="working-key")


def test_a_key_that_is_accepted_is_stored_with_the_assessments(stored, organization, sandbox, super_admin):
    outcome = replace_codescreen_key(organization, f" {sandbox.api_key}\n", super_admin)
    assert outcome == KeyStored(Assessment.objects.filter(organization=organization).count())
    stored.refresh_from_db()
    assert (stored.api_key, stored.is_working) == (sandbox.api_key, True)
    assert stored.verified_at is not None
    assert recorded().get().changes == {"api_key": ["set", "set"]}


def test_a_refused_key_replaces_nothing(stored, organization, super_admin):
    outcome = replace_codescreen_key(organization, "wrong-key", super_admin)
    assert isinstance(outcome, KeyRefused)
    assert "wrong-key" not in outcome.reason
    stored.refresh_from_db()
    assert (stored.api_key, stored.is_working) == ("working-key", True)
    assert not recorded().exists()


def test_a_refused_key_is_not_stored_where_none_was(sandbox, organization, super_admin):
    assert isinstance(replace_codescreen_key(organization, "wrong-key", super_admin), KeyRefused)
    assert not CodeScreenConnection.objects.exists()


def test_a_key_that_cannot_be_tried_replaces_a_working_one_only_if_a_person_says_so(
    stored, organization, super_admin, settings
):
    settings.CODESCREEN_API_URL = NOBODY
    assert isinstance(replace_codescreen_key(organization, "new-key", super_admin), KeyUntried)
    stored.refresh_from_db()
    assert stored.api_key == "working-key"
    outcome = replace_codescreen_key(organization, "new-key", super_admin, may_be_untried=True)
    assert isinstance(outcome, KeyStoredUntried)
    stored.refresh_from_db()
    assert (stored.api_key, stored.verified_at) == ("new-key", None)


def test_a_key_that_cannot_be_tried_replaces_a_refused_one(stored, organization, super_admin, settings):
    stored.mark_refused("401")
    settings.CODESCREEN_API_URL = NOBODY
    assert isinstance(replace_codescreen_key(organization, "new-key", super_admin), KeyStoredUntried)


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "schlüssel", "k" * 501])
def test_what_cannot_be_a_key_is_not_sent(organization, super_admin, key):
    with pytest.raises(ValidationError, match="Copy the whole API key"):
        replace_codescreen_key(organization, key, super_admin)
