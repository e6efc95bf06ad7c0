"""Mappings, and the effective answer beside each role."""

import html
import re

import pytest
from django.urls import reverse

from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.pages.mappings import mapping_list
from integrations.pages.mappings.mapping_edit import RoleMappingForm
from integrations.pages.mappings.mapping_list import EffectiveAssessment
from tests.support.factories import recorded
from tests.support.page_text import text

LIST = "/mappings/"
CATEGORIES = "/mappings/add/?categories"


def answers(page) -> list[EffectiveAssessment]:
    """Return what each role on the page gets."""
    return [answer for answer, _ in page.context["rows"]]


def effective(client) -> dict[str, tuple[str, str, bool]]:
    rows = answers(client.get(LIST))
    return {found.role.title: (found.assessment, found.reason, found.is_problem) for found in rows}


def role(organization, title: str, *tags: str) -> Role:
    return Role.objects.create(
        organization=organization, external_id=f"id-{title}", title=title, state="published", tags=list(tags)
    )


def test_each_role_shows_its_assessment_and_the_reason(super_admin_client, ready_organization):
    Assessment.objects.create(organization=ready_organization, external_id="a-2", name="Frontend Developer")
    role(ready_organization, "Frontend", "CodeScreen frontend developer")
    role(ready_organization, "Data", "CodeScreen Frontend Develper")
    role(ready_organization, "Both", "CodeScreen Backend", "CodeScreen Frontend Developer")
    role(ready_organization, "Chef")
    other = Stage.objects.create(organization=ready_organization, external_id="s-2", name="Take-home")
    RoleMapping.objects.create(
        organization=ready_organization, role="Backend Engineer", stage=other.name, assessment="Backend"
    )
    found = effective(super_admin_client)
    assert found["Backend Engineer"] == ("Backend", "the mapping for this role", False)
    assert found["Frontend"] == ("Frontend Developer", "the tag", False)
    assert found["Data"][1].endswith("did you mean “Frontend Developer”?")
    assert found["Data"][2] is True
    assert found["Both"][2] is True
    assert found["Chef"] == ("", "no mapping, no tag, no default", False)
    elsewhere = super_admin_client.get(LIST, {"stage": "s-2"})  # outside the prefix
    reasons = {one.role.title: one.reason for one in answers(elsewhere)}
    assert reasons["Backend Engineer"] == "the mapping for this role and stage"
    assert reasons["Frontend"] == "no mapping for this stage"
    assert "A tag on the candidate counts too" not in text(elsewhere)


@pytest.mark.parametrize(("owner", "step"), [(RoleMappingForm, "clean"), (RoleMapping, "save")])
@pytest.mark.parametrize("page", ["mapping-add", "mapping-edit"])
def test_a_second_click_at_the_same_moment_is_answered_at_the_form(
    organization_admin_client, ready_organization, monkeypatch, page, owner, step
):
    values = {"role": "Backend Engineer", "stage": "CodeScreen Assessment", "assessment": "Backend"}
    checked = getattr(owner, step)

    def as_the_first_click_ends(*args, **kwargs):
        found = checked(*args, **kwargs) if step == "clean" else None
        RoleMapping.objects.bulk_create([RoleMapping(organization=ready_organization, **values)])
        return found or checked(*args, **kwargs)

    monkeypatch.setattr(owner, step, as_the_first_click_ends)
    keys = [RoleMapping.objects.get().pk] if page == "mapping-edit" else []
    answer = organization_admin_client.post(reverse(page, args=keys), values)
    assert answer.status_code == 200
    assert text(answer).count("This role already has an assessment for that stage.") == 1


@pytest.mark.usefixtures("ready_organization")
def test_refreshing_reports_the_outcome_of_each_platform(super_admin_client, settings):
    settings.CODESCREEN_API_URL = settings.LEVER_API_URL = "http://127.0.0.1:9/nowhere"
    page = text(super_admin_client.post(reverse("mapping-refresh"), follow=True))
    assert page.count("could not be reached") == 2


def test_roles_are_searched_filtered_by_their_assessment_and_paginated(
    super_admin_client, ready_organization, monkeypatch
):
    role(ready_organization, "Chef")
    role(ready_organization, "Data", "CodeScreen Nothing like it")
    Role.objects.create(organization=ready_organization, external_id="old", title="Old", state="closed")

    def shown(**query: str) -> list[str]:
        return [effective.role.title for effective in answers(super_admin_client.get(LIST, query))]

    assert shown(show="unmapped") == ["Chef", "Data"]
    assert shown(show="problems") == ["Data"]
    assert shown(show="unmapped", q="che") == ["Chef"]
    assert len(shown(show="nonsense")) == 4
    assert shown(q="BACKEND") == ["Backend Engineer"]
    monkeypatch.setattr(mapping_list, "PAGE_SIZE", 3)
    assert (len(shown()), len(shown(roles="2"))) == (3, 1)


def test_ticked_roles_get_an_assessment_in_bulk(organization_admin_client, ready_organization):
    Assessment.objects.create(organization=ready_organization, external_id="a-2", name="Frontend")
    chosen = [role(ready_organization, "Baker"), Role.objects.get(title="Backend Engineer")]
    answer = organization_admin_client.post(
        reverse("mapping-assign"),
        {"roles": [row.pk for row in chosen], "assessment": "Frontend", "next": "/mappings/?show=unmapped"},
    )
    assert answer["Location"] == "/mappings/?show=unmapped"
    mapped = dict(RoleMapping.objects.values_list("role", "assessment"))
    assert mapped == {"Baker": "Frontend", "Backend Engineer": "Frontend"}
    assert recorded().count() == 2


def test_assigning_in_bulk_needs_own_roles_and_a_known_assessment(
    organization_admin_client, ready_organization, stranger
):
    theirs = role(stranger.memberships.get().organization, "Theirs").pk
    mine = role(ready_organization, "Chef").pk
    no_keys = ["", "x", "-1", "²", "9" * 19, "9" * 5000]
    for keys, assessment, said in (
        *((keys, "Backend", "Tick the roles first") for keys in ([], [theirs], no_keys)),
        ([mine], "Backnd", "Choose an assessment that CodeScreen lists"),
    ):
        posted = {"roles": keys, "assessment": assessment}
        answer = organization_admin_client.post(reverse("mapping-assign"), posted, follow=True)
        assert said in text(answer)
    assert RoleMapping.objects.count() == 1


def test_changing_a_mapping_returns_to_the_list_as_it_was_filtered(
    organization_admin_client, ready_organization
):
    Assessment.objects.create(organization=ready_organization, external_id="a-2", name="Other")
    mapping = RoleMapping.objects.get()
    page = text(organization_admin_client.get(LIST, {"q": "back"}))
    [link] = set(re.findall(rf'href="(/mappings/{mapping.pk}/[^"]*)"', page))
    assert 'name="next" value="/mappings/?q=back"' in text(organization_admin_client.get(html.unescape(link)))
    posted = {"role": mapping.role, "assessment": "Other", "next": "/mappings/?q=back"}
    answer = organization_admin_client.post(reverse("mapping-edit", args=[mapping.pk]), posted)
    assert answer["Location"] == "/mappings/?q=back"


# names are chosen from what the platforms list


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            {"role": "Bakcend Engineer"},
            "Lever has no role “Bakcend Engineer”. Did you mean “Backend Engineer”?",
        ),
        ({"stage": "Codescren Assessment"}, "Lever has no stage “Codescren Assessment”."),
        ({"assessment": "Backnd"}, "CodeScreen has no assessment “Backnd”. Did you mean “Backend”?"),
    ],
)
def test_a_name_that_no_platform_lists_is_refused(
    organization_admin_client, ready_organization, wrong, reason
):
    role(ready_organization, "Chef")
    right = {"role": "Chef", "stage": "CodeScreen Assessment", "assessment": "Backend"}
    page = text(organization_admin_client.post(reverse("mapping-add"), right | wrong))
    assert reason in page.split('role="alert"')[1].split("</div>")[0]
    assert RoleMapping.objects.count() == 1
    assert organization_admin_client.post(reverse("mapping-add"), right).status_code == 302


def test_a_stored_name_that_is_unknown_now_is_shown_and_can_be_corrected(
    organization_admin_client, ready_organization
):
    mapping = RoleMapping.objects.get()
    RoleMapping.objects.update(role="Old title", assessment="Gone")
    address = reverse("mapping-edit", args=[mapping.pk])
    page = text(organization_admin_client.get(address))
    assert "Old title (not in Lever)" in page
    assert "Gone (not in CodeScreen)" in page
    organization_admin_client.post(address, {"role": "Old title", "stage": "", "assessment": "Backend"})
    mapping.refresh_from_db()
    assert (mapping.role, mapping.assessment) == ("Old title", "Backend")


def row_links(client, **query: str) -> list[tuple[str, str]]:
    """Return the link of each role's row: its address without its parameters, and its text."""
    page = text(client.get(LIST, query)).split('id="mapped"')[0]
    found = re.findall(r'<a class="button small" href="([^"]*)">([^<]*)<', page)
    return [(html.unescape(address), label) for address, label in found]


def test_a_row_has_one_act_that_leads_to_the_mapping_that_counts(
    organization_admin_client, ready_organization
):
    role(ready_organization, "Chef")
    Role.objects.create(organization=ready_organization, external_id="twin", title="Chef", state="published")
    Stage.objects.create(
        organization=ready_organization, external_id="stage-2", name="CodeScreen Take-home", position=1
    )
    general = RoleMapping.objects.get()
    special = RoleMapping.objects.create(
        organization=ready_organization, role="Backend Engineer", stage="stage-2", assessment="Backend"
    )
    [backend, chef, twin] = row_links(organization_admin_client)
    assert backend == (f"/mappings/{general.pk}/?next=%2Fmappings%2F", "Change")
    # a title that two postings share is named by its id
    assert chef == ("/mappings/add/?role=id-Chef&next=%2Fmappings%2F", "Choose")
    assert twin[0].startswith("/mappings/add/?role=twin")
    [(address, _), *_] = row_links(organization_admin_client, stage="stage-2")
    assert address.startswith(f"/mappings/{special.pk}/")


def test_rules_of_its_own_are_listed_and_stay_when_a_form_does_not_have_them(
    super_admin_client, ready_organization
):
    own = {"approval": "always", "passing_score": 70}
    RoleMapping.objects.update(**own)
    assert "rules of its own" in text(super_admin_client.get(LIST))
    mapping = RoleMapping.objects.get()
    address = reverse("mapping-edit", args=[mapping.pk])
    posted = {"role": mapping.role, "stage": mapping.stage, "assessment": "Backend"}
    assert "less than or equal to 100" in text(
        super_admin_client.post(address, posted | {"passing_score": "101"})
    )
    Assessment.objects.create(organization=ready_organization, external_id="a-2", name="Other")
    # the page was opened before the assessment was another one, and before there was a rule
    shown = {"initial-assessment": "Backend", "initial-passing_score": "", "passing_score": ""}
    assert 'name="initial-assessment" value="Backend"' in text(super_admin_client.get(address))
    RoleMapping.objects.update(assessment="Other")
    super_admin_client.post(address, posted | shown | {"stage": "CodeScreen Assessment"})
    own |= {"stage": "CodeScreen Assessment"}
    assert RoleMapping.objects.values(*own, "assessment").get() == own | {"assessment": "Other"}


@pytest.fixture
def engineering(ready_organization) -> Role:
    """A role of the department Engineering in Berlin and Paris that no mapping names."""
    found = role(ready_organization, "Compiler Engineer")
    found.categories = {"department": ["Engineering"], "location": ["Berlin", "Paris"]}
    found.save()
    return found


def test_a_mapping_for_categories_counts_for_each_role_that_has_them(
    organization_admin_client, ready_organization, engineering
):
    assert "location" not in organization_admin_client.get(reverse("mapping-add")).context["form"].fields
    page = organization_admin_client.get(CATEGORIES)
    assert "role" not in page.context["form"].fields
    locations = [choice for choice, _ in page.context["form"].fields["location"].widget.choices]
    assert locations == ["", "Berlin", "Paris"]
    assert [field.name for field in page.context["form"].category_fields] == ["department", "location"]
    posted = {"department": "Engineering", "location": "Paris", "assessment": "Backend"}
    organization_admin_client.post(CATEGORIES, posted)
    found = effective(organization_admin_client)
    assert found["Compiler Engineer"] == (
        "Backend",
        "the mapping for Department Engineering · Location Paris",
        False,
    )
    shown = text(organization_admin_client.get(f"{LIST}?q=Engineering"))
    assert "Department Engineering · Location Paris" in shown
    mapping = RoleMapping.objects.get(department="Engineering")
    own = {"role": "Compiler Engineer", "assessment": "Backend"}
    organization_admin_client.post(f"{reverse('mapping-edit', args=[mapping.pk])}?role=", own)
    mapping.refresh_from_db()
    assert (mapping.role, mapping.department, mapping.location) == ("Compiler Engineer", "", "")


@pytest.mark.parametrize(
    ("address", "posted", "words"),
    [
        ("/mappings/add/", {}, "fill in the role, or one category or more"),
        (CATEGORIES, {}, "fill in the role, or one category or more"),
        (CATEGORIES, {"department": "Enginering"}, "Did you mean “Engineering”?"),
    ],
)
def test_a_mapping_is_for_a_role_or_for_categories_that_lever_lists(
    organization_admin_client, engineering, address, posted, words
):
    before = RoleMapping.objects.count()
    answer = organization_admin_client.post(address, {"assessment": "Backend", **posted})
    assert words in html.unescape(text(answer))
    assert RoleMapping.objects.count() == before
