"""Role mappings are stored, changed, deleted and audited; one that repeats another is refused."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.catalog.acts import assign_assessment
from integrations.catalog.models import Role, RoleMapping
from tests.support.factories import recorded
from tests.support.statements import taken_after_the_head


def test_a_role_is_mapped_by_id_where_another_has_the_same_title(organization, super_admin):
    first, second = (
        Role.objects.create(organization=organization, external_id=key, title="Chef", state="published")
        for key in ("role-1", "role-2")
    )
    assert assign_assessment(organization, [first], "Soup", super_admin)
    assert not assign_assessment(organization, [first], "Soup", super_admin)
    second.delete()
    assert assign_assessment(organization, [first], "Bread", super_admin)
    assert list(RoleMapping.objects.values_list("role", "assessment")) == [("role-1", "Bread")]


def roles_named(organization, *titles):
    return [
        Role.objects.create(organization=organization, external_id=title, title=title, state="published")
        for title in titles
    ]


def test_no_mapping_is_locked_after_the_end_of_the_chain(organization, super_admin):
    """Who changes a single mapping holds it and waits for the end of the chain: PostgreSQL would end one of both."""
    roles = roles_named(organization, "Chef", "Baker", "Butcher")
    assert assign_assessment(organization, roles, "Soup", super_admin) == 3
    with CaptureQueriesContext(connection) as queries:
        assert assign_assessment(organization, roles, "Cake", super_admin) == 3
    statements = [query["sql"] for query in queries]
    assert sum(sql.startswith('UPDATE "integrations_rolemapping"') for sql in statements) == 3
    assert not list(taken_after_the_head(statements))
    assert recorded().count() == 6
