"""A new API key is tried before it replaces one that works."""

import pytest
from django.core.exceptions import ValidationError

from integrations.models import Assessment, CodeScreenConnection
from integrations.workflow.operations.codescreen_key import (
    KeyRefused,
    KeyStored,
    KeyStoredUntried,
    KeyUntried,
    replace_codescreen_key,
)
from tests import factories
from tests.factories import recorded

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
