"""CodeScreen's key and webhook secret: what is refused, how a key is verified."""

import pytest
from django.core.exceptions import ValidationError

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import (
    CodeScreenConnection,
    Delivery,
    Organization,
)
from integrations.workflow.operations.codescreen_connection import (
    save_codescreen_key,
    save_codescreen_webhook_secret,
    verify_codescreen_key,
)
from tests import factories


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
    CodeScreenConnection.objects.update(api_key="wrong")
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
