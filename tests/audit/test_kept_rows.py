"""Each kind of kept row: added, changed, removed, refused and recorded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from integrations.api.acts import API_TOKENS
from integrations.api.models import ApiToken
from integrations.audit.kept_rows import KeptRow, KeptRows
from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from integrations.members.end_access import PENDING_MEMBERSHIPS
from tests.support import factories
from tests.support.factories import recorded


@dataclass(frozen=True)
class Kind:
    """One kind of kept row, and what a person posts of one."""

    kept: KeptRows[Any]
    list_page: str
    add_page: str
    remove_page: str
    posted: dict[str, Any]
    #: What the entry of a row that was added so says.
    told: dict[str, Any]
    change_page: str = ""
    changed: dict[str, Any] = field(default_factory=dict)

    def made(self, organization: Any) -> KeptRow:
        """Return a stored row, as nobody added it."""
        if self.kept is PENDING_MEMBERSHIPS:
            return factories.invited(organization, self.posted["email"])
        if self.kept is API_TOKENS:
            return token(organization, self.posted["name"])
        return RoleMapping.objects.create(organization=organization, **self.posted)


def token(organization: Any, name: str) -> ApiToken:
    until = timezone.now() + timedelta(days=9)
    return ApiToken.objects.create(
        organization=organization, name=name, digest=name, scopes=["results"], expires_at=until
    )


KINDS = {
    "mappings": Kind(
        MAPPINGS,
        "mapping-list",
        "mapping-add",
        "mapping-delete",
        {"role": "Chef", "assessment": "Soup", "approval": "always", "passing_score": 0},
        {
            "role": ["", "Chef"],
            "assessment": ["", "Soup"],
            "approval": ["", "always"],
            "passing_score": [None, 0],
        },
        change_page="mapping-edit",
        changed={"assessment": "Bread"},
    ),
    "API tokens": Kind(
        API_TOKENS,
        "settings",
        "api-tokens",
        "api-token-revoke",
        {"name": "warehouse", "scopes": ["results", "candidates"], "days": "9"},
        {"scopes": [[], ["candidates", "results"]]},
    ),
    "pending memberships": Kind(
        PENDING_MEMBERSHIPS,
        "team",
        "team",
        "pending-withdraw",
        {"email": "recruiter@acme.example", "role": "team_member"},
        {"role": ["", "team_member"]},
    ),
}

pytestmark = pytest.mark.django_db


def those(has: Callable[[Kind], object]) -> pytest.MarkDecorator:
    """Return the mark of a test that is for the kinds that have this."""
    chosen = {name: kind for name, kind in KINDS.items() if has(kind)}
    return pytest.mark.parametrize("kind", chosen.values(), ids=chosen)


every_kind = those(lambda kind: True)


@pytest.fixture
def stored(kind, organization) -> KeptRow:
    return kind.made(organization)


def rows(kind: Kind) -> list[Any]:
    return list(kind.kept.model._default_manager.all())


@every_kind
def test_a_row_is_added_and_recorded_when_posted(kind, super_admin_client, organization):
    super_admin_client.post(reverse(kind.add_page), kind.posted)
    [row] = kind.kept.of(organization)
    entry = recorded().get()
    assert (entry.action, entry.target_id) == (kind.kept.added, row.pk)
    assert kind.told.items() <= entry.changes.items()
    assert set(entry.changes) <= set(kind.kept.told)


@those(lambda kind: kind.change_page)
def test_a_row_is_changed_and_recorded_once_when_posted_twice(kind, super_admin_client, stored):
    for _ in range(2):
        super_admin_client.post(reverse(kind.change_page, args=[stored.pk]), kind.posted | kind.changed)
    [entry] = recorded()
    assert (entry.action, entry.target_id) == (kind.kept.changed, stored.pk)
    assert entry.changes == {name: [kind.posted[name], value] for name, value in kind.changed.items()}


@every_kind
def test_a_row_is_removed_and_recorded_once_when_two_ask(kind, super_admin_client, super_admin, stored):
    super_admin_client.post(reverse(kind.remove_page, args=[stored.pk]))
    assert not rows(kind)
    assert not kind.kept.remove(stored, super_admin)
    entry = recorded().get()
    assert (entry.action, entry.target_id) == (kind.kept.removed, stored.pk)
    assert entry.changes
    assert all((before and not after) or before == 0 for before, after in entry.changes.values())


@those(lambda kind: kind.kept.taken)
def test_the_same_row_twice_is_refused_but_not_in_another_organization(kind, super_admin_client):
    kind.made(factories.OrganizationFactory.create())
    pages = [super_admin_client.post(reverse(kind.add_page), kind.posted) for _ in range(2)]
    assert [kind.kept.taken in page.content.decode() for page in pages] == [False, True]
    assert len(rows(kind)) == 2


@those(lambda kind: kind.kept.most)
def test_one_more_than_the_most_is_refused_with_what_to_do(kind, super_admin_client, super_admin, stored):
    for number in range(kind.kept.most - 1):
        ApiToken.objects.create(
            organization=stored.organization,
            name=f"{number}",
            digest=f"{number}",
            expires_at=stored.expires_at,
        )
    page = super_admin_client.get(reverse(kind.list_page)).content.decode()
    assert f"There are {kind.kept.most} tokens, the most there can be." in page
    answer = super_admin_client.post(reverse(kind.add_page), kind.posted | {"name": "one more"})
    assert kind.kept.is_full in answer.content.decode()
    assert len(rows(kind)) == kind.kept.most


@those(lambda kind: kind.change_page)
def test_saving_what_is_stored_records_nothing_and_what_cannot_be_is_refused(kind, super_admin, stored):
    assert kind.kept.save(stored, super_admin) == {}
    assert not recorded()
    setattr(stored, kind.kept.named_by[0], "x" * 400)
    with pytest.raises(ValidationError):
        kind.kept.save(stored, super_admin)
    assert not recorded()
