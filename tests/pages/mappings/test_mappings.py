"""Mappings, and the effective answer beside each role."""

import pytest
from django.urls import reverse

from integrations.models import Assessment, AuditEntry, Role, RoleMapping, Stage
from tests import factories

LIST = "/mappings/"


def text(answer) -> str:
    return answer.content.decode()


def answers(client) -> dict[str, tuple[str, str, bool]]:
    found = client.get(LIST).context["answers"]
    return {answer.role.title: (answer.assessment, answer.reason, answer.is_problem) for answer in found}


def role(organization, title: str, *tags: str) -> Role:
    return Role.objects.create(
        organization=organization, external_id=f"id-{title}", title=title, state="published", tags=list(tags)
    )


def test_each_role_shows_its_answer_and_why(owners, ready):
    Assessment.objects.create(organization=ready, external_id="a-2", name="Frontend Developer")
    role(ready, "Frontend", "CodeScreen frontend developer")
    role(ready, "Data", "CodeScreen Frontend Develper")
    role(ready, "Both", "CodeScreen Backend", "CodeScreen Frontend Developer")
    role(ready, "Chef")
    found = answers(owners)
    assert found["Backend Engineer"] == ("Backend", "the mapping for this role", False)
    assert found["Frontend"] == ("Frontend Developer", "the tag", False)
    assert found["Data"][1].endswith("did you mean “Frontend Developer”?")
    assert found["Data"][2] is True
    assert found["Both"][2] is True
    assert found["Chef"] == ("", "no mapping, no tag, no default", False)


def test_the_default_answers_for_all_others(owners, ready):
    ready.default_assessment = "Backend"
    ready.save()
    role(ready, "Chef")
    assert answers(owners)["Chef"] == ("Backend", "the default", False)


def test_a_mapping_for_the_stage_wins(owners, ready):
    Assessment.objects.create(organization=ready, external_id="a-2", name="Take-home")
    RoleMapping.objects.create(
        organization=ready, role="Backend Engineer", stage="CodeScreen Assessment", assessment="Take-home"
    )
    assert answers(owners)["Backend Engineer"] == ("Take-home", "the mapping for this role and stage", False)


def test_an_admin_adds_changes_and_deletes(admins, organization):
    admins.post(reverse("mapping-add"), {"role": "Chef", "stage": "", "assessment": "Knives"})
    mapping = RoleMapping.objects.get(organization=organization)
    admins.post(
        reverse("mapping-edit", args=[mapping.pk]), {"role": "Chef", "stage": "", "assessment": "Soup"}
    )
    mapping.refresh_from_db()
    assert mapping.assessment == "Soup"
    assert "Delete this mapping?" in text(admins.get(reverse("mapping-delete", args=[mapping.pk])))
    admins.post(reverse("mapping-delete", args=[mapping.pk]))
    assert not RoleMapping.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "add mapping",
        "change mapping",
        "delete mapping",
    ]


def test_a_second_answer_for_the_same_role_and_stage_is_refused(admins, ready):
    page = admins.post(
        reverse("mapping-add"), {"role": "Backend Engineer", "stage": "", "assessment": "Other"}
    )
    assert "already has an assessment" in text(page)
    mapping = RoleMapping.objects.get()
    same = {"role": "Backend Engineer", "stage": "", "assessment": "Backend"}
    assert admins.post(reverse("mapping-edit", args=[mapping.pk]), same).status_code == 302


def test_the_same_role_in_another_organization_is_no_obstacle(admins, organization):
    RoleMapping.objects.create(
        organization=factories.OrganizationFactory.create(), role="Chef", assessment="Knives"
    )
    assert admins.post(reverse("mapping-add"), {"role": "Chef", "assessment": "Knives"}).status_code == 302


def test_a_team_member_sees_and_cannot_edit(colleagues, ready):
    page = text(colleagues.get(LIST))
    assert "Backend Engineer" in page
    assert reverse("mapping-add") not in page


def test_roles_are_searched_and_come_fifty_at_a_time(owners, ready, django_assert_max_num_queries):
    for number in range(120):
        role(ready, f"Role {number:03}")
    with django_assert_max_num_queries(40):
        page = owners.get(LIST)
    assert len(page.context["answers"]) == 50
    assert len(owners.get(LIST, {"roles": 3}).context["answers"]) == 21
    assert [answer.role.title for answer in owners.get(LIST, {"q": "role 007"}).context["answers"]] == [
        "Role 007"
    ]


@pytest.mark.usefixtures("ready")
def test_refreshing_says_for_each_platform_what_came_of_it(owners, settings):
    settings.CODESCREEN_API_URL = settings.LEVER_API_URL = "http://127.0.0.1:9/nowhere"
    page = text(owners.post(reverse("mapping-refresh"), follow=True))
    assert page.count("did not answer") == 2


def test_what_a_role_is_called_is_escaped(owners, ready):
    role(ready, "<script>alert(1)</script>")
    assert "<script>alert" not in text(owners.get(LIST))


def test_roles_are_filtered_by_their_answer(owners, ready):
    role(ready, "Chef")
    role(ready, "Data", "CodeScreen Nothing like it")
    Role.objects.create(organization=ready, external_id="old", title="Old", state="closed")

    def shown(**query: str) -> list[str]:
        return [answer.role.title for answer in owners.get(LIST, query).context["answers"]]

    assert shown(show="unmapped") == ["Chef", "Data"]
    assert shown(show="problems") == ["Data"]
    assert shown(show="unmapped", q="che") == ["Chef"]
    assert len(shown(show="nonsense")) == 4


def test_ticked_roles_get_an_assessment_at_once(admins, ready):
    Assessment.objects.create(organization=ready, external_id="a-2", name="Frontend")
    chosen = [role(ready, "Chef"), role(ready, "Baker"), Role.objects.get(title="Backend Engineer")]
    twin = Role.objects.create(organization=ready, external_id="twin", title="Chef", state="published")
    answer = admins.post(
        reverse("mapping-assign"),
        {"roles": [row.pk for row in chosen], "assessment": "Frontend", "next": "/mappings/?show=unmapped"},
    )
    assert answer["Location"] == "/mappings/?show=unmapped"
    mapped = dict(RoleMapping.objects.values_list("role", "assessment"))
    # a title that two postings share is named by its id
    assert mapped == {"id-Chef": "Frontend", "Baker": "Frontend", "Backend Engineer": "Frontend"}
    assert twin.title not in mapped
    assert AuditEntry.objects.count() == 3
    admins.post(reverse("mapping-assign"), {"roles": [chosen[0].pk], "assessment": "Frontend"})
    assert AuditEntry.objects.count() == 3


def test_assigning_needs_ticks_and_a_known_assessment_of_ones_own_roles(admins, ready, stranger):
    url = reverse("mapping-assign")
    assert "Tick the roles first" in text(admins.post(url, {"assessment": "Backend"}, follow=True))
    theirs = role(stranger.memberships.get().organization, "Theirs")
    answer = admins.post(url, {"roles": [theirs.pk], "assessment": "Backend"}, follow=True)
    assert "Tick the roles first" in text(answer)
    mine = role(ready, "Chef")
    answer = admins.post(url, {"roles": [mine.pk], "assessment": "Backnd"}, follow=True)
    assert "Choose an assessment that CodeScreen lists" in text(answer)
    assert RoleMapping.objects.count() == 1


def test_a_mapping_is_changed_in_its_row_and_the_filter_stays(admins, ready):
    mapping = RoleMapping.objects.get()
    answer = admins.post(
        reverse("mapping-edit", args=[mapping.pk]),
        {"role": mapping.role, "stage": "", "assessment": "Other", "next": "/mappings/?q=back"},
    )
    assert answer["Location"] == "/mappings/?q=back"
    mapping.refresh_from_db()
    assert mapping.assessment == "Other"
    answer = admins.post(
        reverse("mapping-edit", args=[mapping.pk]),
        {"role": mapping.role, "stage": "", "assessment": "Other", "next": "https://evil.example/"},
    )
    assert answer["Location"] == LIST


def test_the_answers_of_another_stage_are_a_choice_away(owners, ready):
    Assessment.objects.create(organization=ready, external_id="a-2", name="Take-home")
    Stage.objects.create(organization=ready, external_id="stage-2", name="CodeScreen Take-home", position=1)
    RoleMapping.objects.create(
        organization=ready, role="Backend Engineer", stage="stage-2", assessment="Take-home"
    )
    assert answers(owners)["Backend Engineer"][0] == "Backend"
    page = owners.get(LIST, {"stage": "stage-2"})
    [found] = page.context["answers"]
    assert (found.assessment, found.reason) == ("Take-home", "the mapping for this role and stage")
    assert "who enters “CodeScreen Take-home”" in " ".join(text(page).split())
    assert owners.get(LIST, {"stage": "nonsense"}).context["stage"].external_id == "stage-codescreen"


def test_a_search_finds_the_assessment_that_a_role_gets(owners, ready):
    Assessment.objects.create(organization=ready, external_id="a-2", name="Knives")
    role(ready, "Chef", "CodeScreen Knives")
    found = owners.get(LIST, {"q": "knive"}).context["answers"]
    assert [given.role.title for given in found] == ["Chef"]
