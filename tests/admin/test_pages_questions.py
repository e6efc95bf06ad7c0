"""The index of the admin: each question's count is that of the list it leads to."""

import re

import pytest
from django.urls import reverse

from integrations.members.models.membership import Membership
from tests.admin.audited_scene import Scene, make_scene
from tests.admin.conftest import Customer, sign_in
from tests.support import factories


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def test_each_count_is_the_length_of_the_list_that_it_leads_to(scene: Scene, subtests) -> None:
    client = sign_in(None, is_superuser=True)
    groups = client.get(reverse("admin:index")).context["groups"]
    for question in (question for _, questions in groups for question in questions):
        with subtests.test(question=question.text):
            answer = client.get(question.address)
            assert answer.status_code == 200
            if question.count and "Webhook requests" not in question.text:
                assert str(answer.context["cl"].result_count) == question.count


def test_the_index_names_the_portal(acme: Customer) -> None:
    text = sign_in("admin", acme).get(reverse("admin:index")).content.decode()
    assert "CodeScreen–Lever portal" in text


def test_counts_are_of_ones_own_organizations(acme: Customer, globex: Customer) -> None:
    def held(*customers: Customer) -> str:
        groups = (
            sign_in(Membership.Role(role.pop()), *customers).get(reverse("admin:index")).context["groups"]
        )
        return str(groups[0][1][0].count)

    role = [Membership.Role.TEAM_MEMBER, Membership.Role.ADMIN]
    assert held(acme, globex) == "2"
    assert held(acme) == "1"


def test_only_operators_are_asked_about_the_queue(acme: Customer) -> None:
    ours = sign_in(Membership.Role.TEAM_MEMBER, acme).get(reverse("admin:index")).content.decode()
    theirs = sign_in(None, is_superuser=True).get(reverse("admin:index")).content.decode()
    assert "Background jobs of the whole portal" not in ours
    assert "Background jobs of the whole portal" in theirs


def test_no_list_shows_a_candidate_by_an_id_whose_name_is_known(scene: Scene) -> None:
    client = sign_in(None, is_superuser=True)
    for model in ("delivery", "verdict", "effect", "apicall", "invitation", "candidate"):
        page = client.get(f"/admin/integrations/{model}/").content.decode()
        shown = re.findall(r'<t[dh] class="field-(?:candidate|who)[^"]*">(?:<a [^>]*>)?([^<]*)', page)
        assert shown, model
        assert not [text for text in shown if text.startswith("o-")], model


def test_any_list_is_searched_by_a_candidates_name(scene: Scene) -> None:
    client = sign_in(None, is_superuser=True)
    for model in ("delivery", "verdict", "effect"):
        found = client.get(f"/admin/integrations/{model}/", {"q": "alder"}).context["cl"].result_list
        assert len(found) == 1, model
    assert not client.get("/admin/integrations/delivery/", {"q": "nobody"}).context["cl"].result_list


def test_people_invited_again_are_found_across_rounds_and_opportunities(scene: Scene) -> None:

    own = {"organization": scene.organization, "contact_id": "contact-oak", "candidate_name": "Candidate Oak"}
    first = factories.InvitationFactory.create(**own, status="completed", instance_id="i-1")
    second = factories.InvitationFactory.create(**own, status="invited", instance_id="i-2")
    factories.InvitationFactory.create(**own, status="failed")
    factories.InvitationFactory.create(
        **own, status="invited", instance_id="i-3", assessment_id="other", assessment_name="Other"
    )
    client = sign_in(None, is_superuser=True)
    url = "/admin/integrations/invitation/?invited=again&period=year"
    found = client.get(url).context["cl"].result_list
    assert {row.candidate_name for row in found} == {"Candidate Oak", "Candidate Fir"}
    assert [row.pk for row in found if row.candidate_name == "Candidate Oak"] == [second.pk]
    assert first.pk != second.pk
