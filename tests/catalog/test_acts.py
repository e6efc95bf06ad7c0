"""Role mappings are stored, changed, deleted and audited; one that repeats another is refused."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.catalog.acts import assign_assessment, delete_mapping, save_mapping
from integrations.catalog.models.platform_lists import Role
from integrations.catalog.models.role_mapping import RoleMapping
from tests.support.factories import recorded
from tests.support.statements import taken_after_the_head


def test_a_mapping_is_audited_when_added_changed_and_deleted(organization, super_admin):
    mapping = RoleMapping(organization=organization, role="Chef", assessment="Soup")
    save_mapping(mapping, super_admin)
    assert save_mapping(mapping, super_admin) == {}
    mapping.assessment = "Bread"
    save_mapping(mapping, super_admin)
    pk = mapping.pk
    delete_mapping(mapping, super_admin)
    entries = recorded().order_by("pk")
    assert [(entry.action, entry.changes) for entry in entries] == [
        ("add_mapping", {"role": ["", "Chef"], "assessment": ["", "Soup"]}),
        ("change_mapping", {"assessment": ["Soup", "Bread"]}),
        ("delete_mapping", {"role": ["Chef", ""], "assessment": ["Bread", ""]}),
    ]
    assert {(entry.target_kind, entry.target_id) for entry in entries} == {("mapping", pk)}


def test_the_own_rules_of_a_deleted_mapping_are_audited_also_zero(organization, super_admin):
    rules = {"approval": "always", "passing_score": 0}
    mapping = RoleMapping(organization=organization, role="Chef", assessment="Soup", **rules)
    save_mapping(mapping, super_admin)
    delete_mapping(mapping, super_admin)
    added, deleted = (set(entry.changes) for entry in recorded().order_by("pk"))
    assert deleted == added == {"role", "assessment", *rules}


def test_a_second_mapping_of_the_same_role_and_stage_is_refused(organization, super_admin):
    save_mapping(RoleMapping(organization=organization, role="Chef", assessment="Soup"), super_admin)
    with pytest.raises(ValidationError, match="already has an assessment"):
        save_mapping(RoleMapping(organization=organization, role="Chef", assessment="Bread"), super_admin)


def test_a_role_is_mapped_by_id_where_another_has_the_same_title(organization, super_admin):
    first, second = (
        Role.objects.create(organization=organization, external_id=key, title="Chef", state="published")
        for key in ("role-1", "role-2")
    )
    assert assign_assessment([first], "Soup", super_admin)
    assert not assign_assessment([first], "Soup", super_admin)
    second.delete()
    assert assign_assessment([first], "Bread", super_admin)
    assert list(RoleMapping.objects.values_list("role", "assessment")) == [("role-1", "Bread")]


def roles_named(organization, *titles):
    return [
        Role.objects.create(organization=organization, external_id=title, title=title, state="published")
        for title in titles
    ]


def test_no_mapping_is_locked_after_the_end_of_the_chain(organization, super_admin):
    """Who changes a single mapping holds it and waits for the end of the chain: PostgreSQL would end one of both."""
    roles = roles_named(organization, "Chef", "Baker", "Butcher")
    assert assign_assessment(roles, "Soup", super_admin) == 3
    with CaptureQueriesContext(connection) as queries:
        assert assign_assessment(roles, "Cake", super_admin) == 3
    statements = [query["sql"] for query in queries]
    assert sum(sql.startswith('UPDATE "integrations_rolemapping"') for sql in statements) == 3
    assert not list(taken_after_the_head(statements))
    assert recorded().count() == 6
