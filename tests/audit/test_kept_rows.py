"""Kept rows: added, changed, removed, refused and recorded; the pages of each kind are tried in tests/audit_trail."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.api.acts import API_TOKENS
from integrations.api.models import ApiToken
from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from tests.support import factories
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


def mapping(organization: Any, **columns: Any) -> RoleMapping:
    """Return a mapping, not stored yet."""
    values = {"role": "Chef", "assessment": "Soup", "approval": "always", "passing_score": 0}
    return RoleMapping(organization=organization, **values | columns)


def token(organization: Any, name: str) -> ApiToken:
    """Return a token, not stored yet."""
    until = timezone.now() + timedelta(days=9)
    return ApiToken(
        organization=organization,
        name=name,
        digest=name,
        scopes=["results"],
        expires_at=until,
        by_operator=True,
    )


def test_a_row_is_added_and_what_it_says_is_recorded(organization, super_admin):
    row = mapping(organization)
    MAPPINGS.save(row, super_admin)
    entry = recorded().get()
    assert (entry.action, entry.target_id, entry.actor) == (MAPPINGS.added, row.pk, super_admin)
    assert entry.changes == {
        "role": ["", "Chef"],
        "assessment": ["", "Soup"],
        "approval": ["", "always"],
        "passing_score": [None, 0],
    }


def test_a_row_is_changed_and_recorded_once_when_it_is_saved_twice(organization, super_admin):
    row = mapping(organization)
    row.save()
    row.assessment = "Bread"
    for _ in range(2):
        MAPPINGS.save(row, super_admin)
    entry = recorded().get()
    assert (entry.action, entry.changes) == (MAPPINGS.changed, {"assessment": ["Soup", "Bread"]})


def test_a_row_is_removed_and_recorded_once_when_two_ask(organization, super_admin):
    row = mapping(organization)
    row.save()
    pk = row.pk
    twin = RoleMapping.objects.get()
    assert [MAPPINGS.remove(one, super_admin) for one in (row, twin)] == [True, False]
    entry = recorded().get()
    assert (entry.action, entry.target_id) == (MAPPINGS.removed, pk)
    assert entry.changes["role"] == ["Chef", ""]


def test_the_same_row_twice_is_refused_but_not_in_another_organization(organization, super_admin):
    MAPPINGS.save(mapping(factories.OrganizationFactory.create()), super_admin)
    MAPPINGS.save(mapping(organization), super_admin)
    with pytest.raises(ValidationError, match=MAPPINGS.taken):
        MAPPINGS.save(mapping(organization), super_admin)
    assert RoleMapping.objects.count() == 2


def test_one_more_than_the_most_is_refused_with_what_to_do(organization, super_admin):
    ApiToken.objects.bulk_create(token(organization, f"{number}") for number in range(API_TOKENS.most or 0))
    API_TOKENS.save(token(factories.OrganizationFactory.create(), "another's"), super_admin)
    with pytest.raises(ValidationError, match=API_TOKENS.is_full):
        API_TOKENS.save(token(organization, "one more"), super_admin)
