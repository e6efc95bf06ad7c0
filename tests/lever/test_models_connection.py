"""What the database lets be stored of a connection to Lever, and what stays of one that is ended."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.lever.acts.connection import disconnect_lever
from integrations.lever.models.connection import LeverAccess, LeverConnection
from tests.support import factories


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"access_token": "access-1"}, "by_grant_or_key"),
        ({"refresh_token": "refresh-1"}, "by_grant_or_key"),
        ({"lever_user_id": ""}, "key_has_author"),
        ({"region": "mars"}, "region_known"),
    ],
)
def test_a_key_stands_beside_no_token_and_has_an_author_and_a_region(organization, values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        factories.by_key(organization, **values)
    factories.by_key(organization)


def test_an_author_may_be_known_by_the_address_alone_until_lever_is_asked(organization):
    factories.by_key(organization, lever_user_id="", lever_user_email="ada@acme.example")
    assert LeverConnection.objects.get().is_working


def test_the_key_is_gone_when_lever_is_disconnected(organization):
    factories.by_key(organization).disconnect("Disconnected by owner.")
    row = LeverConnection.objects.get()
    assert (row.state, row.api_key, row.lever_user_id) == ("revoked", "", "lever-user")


def test_all_is_compared_again_after_a_connection_that_may_be_to_another_account(organization):
    row = factories.by_key(organization, swept_at=timezone.now())
    row.accept(LeverAccess(api_key="key-2", user_id="lever-user"), None)
    assert LeverConnection.objects.get().swept_at is None


def test_disconnecting_deletes_the_tokens(organization, super_admin):
    factories.LeverConnectionFactory(organization=organization)
    for _ in range(2):
        disconnect_lever(organization, super_admin)
    row = LeverConnection.objects.get()
    assert (row.state, row.access_token, row.refresh_token) == ("revoked", "", "")
    disconnect_lever(factories.OrganizationFactory(), super_admin)
