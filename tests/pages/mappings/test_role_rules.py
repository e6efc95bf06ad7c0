"""The page of one role's rules, and the fields for a mapping's own."""

import pytest
from django.urls import reverse

from integrations.catalog.acts import set_assessment_rules
from integrations.catalog.models.platform_lists import Role
from integrations.catalog.models.role_mapping import RoleMapping
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapping(ready_organization):
    return RoleMapping.objects.get(organization=ready_organization)


@pytest.fixture
def role_page(super_admin_client, ready_organization):
    """Return a function that shows what holds for the role: each rule with its value and where that is from."""

    def show() -> dict[str, tuple[str, str]]:
        role = Role.objects.get(organization=ready_organization, title="Backend Engineer")
        page = super_admin_client.get(reverse("role-rules", args=[role.pk]))
        return {one.rule.name: (one.in_words, one.source.label) for one in page.context["rules"]}

    return show


def test_the_page_says_of_each_rule_where_it_comes_from(role_page, mapping, ready_organization):
    ready_organization.origins = {"agency": "skip"}
    ready_organization.passed_tag = "passed"
    ready_organization.save()
    RoleMapping.objects.filter(pk=mapping.pk).update(
        approval="always", failed_tag="no", origins={"referred": "hold"}
    )
    set_assessment_rules(ready_organization, "Backend", {"passing_score": 70}, "test")
    shown = role_page()
    own, general = "the mapping", "all roles"
    assert shown["approval"] == ("Always", own)
    assert shown["origins"] == ("Agency: send nothing, Referred: hold for approval", own)
    assert shown["failed_tag"] == ("“no”", own)
    assert shown["passed_tag"] == ("“passed”", general)
    assert shown["stage_on_pass"] == ("nobody is moved", general)
    assert shown["passing_score"] == ("70", "the assessment")
    assert shown["reentry_days"] == ("180 days", general)


def test_another_organizations_role_is_not_found(super_admin_client, stranger):
    organization = stranger.memberships.get().organization
    theirs = Role.objects.create(organization=organization, external_id="r-9", title="Theirs")
    assert super_admin_client.get(reverse("role-rules", args=[theirs.pk])).status_code == 404


def posted(mapping: RoleMapping, **own: str) -> dict[str, str]:
    return {"role": mapping.role, "stage": mapping.stage, "assessment": mapping.assessment, **own}


def test_own_rules_are_stored_audited_and_taken_back(super_admin_client, mapping):
    address = reverse("mapping-edit", args=[mapping.pk])
    rules = {"approval": "never", "reentry_days": "7", "origin_agency": "hold"}
    super_admin_client.post(address, posted(mapping, **rules))
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.reentry_days, mapping.origins) == ("never", 7, {"agency": "hold"})
    entry = recorded().last()
    assert entry.changes["approval"] == ["", "never"]
    page = super_admin_client.get("/mappings/").content.decode()
    assert "rules of its own" in page
    super_admin_client.post(address, posted(mapping, **dict.fromkeys(rules, "")))
    mapping.refresh_from_db()
    assert not mapping.has_own_rules


def test_own_rules_stay_when_a_form_does_not_have_them(super_admin_client, mapping):
    RoleMapping.objects.filter(pk=mapping.pk).update(passed_tag="yes", origins={"agency": "hold"})
    address = reverse("mapping-edit", args=[mapping.pk])
    super_admin_client.post(address, posted(mapping) | {"assessment": "Another"})
    mapping.refresh_from_db()
    assert (mapping.passed_tag, mapping.origins) == ("yes", {"agency": "hold"})


@pytest.mark.parametrize(("tag", "is_said"), [("", False), ("passed", True)])
def test_who_deletes_own_rules_is_told_what_holds_then(super_admin_client, mapping, tag, is_said):
    RoleMapping.objects.filter(pk=mapping.pk).update(passed_tag=tag)
    page = super_admin_client.get(reverse("mapping-delete", args=[mapping.pk])).content.decode()
    assert (
        "What follows from their results goes by the rules of the assessment and for all roles then" in page
    ) == is_said


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"reentry_days": "0"}, "greater than or equal to 1"),
        ({"passed_tag": "CodeScreen yes"}, "Begin with another word."),
    ],
)
def test_an_own_rule_that_cannot_hold_is_refused_with_the_reason(super_admin_client, mapping, own, reason):
    answer = super_admin_client.post(reverse("mapping-edit", args=[mapping.pk]), posted(mapping, **own))
    assert reason in answer.content.decode()
    mapping.refresh_from_db()
    assert not mapping.has_own_rules
