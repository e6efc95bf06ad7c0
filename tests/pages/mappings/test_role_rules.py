"""The fields for a mapping's own rules."""

import pytest
from django.urls import reverse

from integrations.catalog.models import RoleMapping
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapping(ready_organization):
    return RoleMapping.objects.get(organization=ready_organization)


def posted(mapping: RoleMapping, **own: str) -> dict[str, str]:
    return {"role": mapping.role, "stage": mapping.stage, "assessment": mapping.assessment, **own}


def test_own_rules_are_stored_audited_and_taken_back(super_admin_client, mapping):
    address = reverse("mapping-edit", args=[mapping.pk])
    rules = {"approval": "never", "passing_score": "70"}
    super_admin_client.post(address, posted(mapping, **rules))
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.passing_score) == ("never", 70)
    entry = recorded().last()
    assert entry.changes["approval"] == ["", "never"]
    page = super_admin_client.get("/mappings/").content.decode()
    assert "rules of its own" in page
    super_admin_client.post(address, posted(mapping, **dict.fromkeys(rules, "")))
    mapping.refresh_from_db()
    assert not mapping.has_own_rules


def test_own_rules_stay_when_a_form_does_not_have_them(super_admin_client, mapping):
    RoleMapping.objects.filter(pk=mapping.pk).update(approval="always", passing_score=70)
    address = reverse("mapping-edit", args=[mapping.pk])
    super_admin_client.post(address, posted(mapping) | {"assessment": "Another"})
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.passing_score) == ("always", 70)


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"passing_score": "101"}, "less than or equal to 100"),
        ({"approval": "sometimes"}, "Select a valid choice"),
    ],
)
def test_an_own_rule_that_cannot_hold_is_refused_with_the_reason(super_admin_client, mapping, own, reason):
    answer = super_admin_client.post(reverse("mapping-edit", args=[mapping.pk]), posted(mapping, **own))
    assert reason in answer.content.decode()
    mapping.refresh_from_db()
    assert not mapping.has_own_rules
