"""The page that proposes Lever's users as members, role by role."""

import re
from unittest.mock import Mock

from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.members.acts.invitations import invite
from integrations.members.end_access import withdraw
from integrations.members.models.membership import Membership, PendingMembership
from tests.support import factories
from tests.support.page_text import text
from tests.support.second_factors import forget_proofs

PAGE, URL = "/settings/team/?people", "/settings/team/lever/"
TWO = ["recruiter@acme.example", "sourcer@acme.example"]


def invited() -> list[tuple[str, str]]:
    return list(PendingMembership.objects.order_by("email").values_list("email", "role"))


def test_each_role_has_its_people_and_the_first_with_somebody_is_shown(
    super_admin_client, connected_organization
):
    page = super_admin_client.get(PAGE)
    assert page.context["people"]["role"] == "super_admin"
    assert [count for _, count in page.context["people"]["counts"]] == [1, 1, 2, 1]
    factories.invited(connected_organization, "super-admin@acme.example")
    assert super_admin_client.get(PAGE).context["people"]["role"] == "admin"
    page = super_admin_client.get(f"{PAGE}=team_member")
    assert [one.address for one in page.context["people"]["page"]] == TWO
    assert re.findall(r'value="([^"]+@[^"]+)"', page.content.decode()) == TWO


def test_those_ticked_are_invited_with_their_role_in_lever_and_are_no_members_before_accepting(
    super_admin_client, connected_organization
):
    before = Membership.objects.count()
    for role, addresses, said in (
        ("team_member", [], "Tick somebody first."),
        ("super_admin", TWO, "Nobody was invited."),
        ("team_member", [*TWO, "x@acme.example"], "2 invitations made. Who accepts becomes a member."),
    ):
        answer = super_admin_client.post(URL, {"role": role, "address": addresses}, follow=True)
        assert said in text(answer)
    assert "Invited, not answered yet" in text(answer)
    assert invited() == [(address, "team_member") for address in TWO]
    assert Membership.objects.count() == before


def test_who_is_left_out_is_explained_by_each_limit(super_admin_client, connected_organization, super_admin):
    for _ in range(3):
        withdraw(invite(connected_organization, TWO[0], "team_member", super_admin), super_admin)
    page = text(super_admin_client.post(URL, {"role": "team_member", "address": TWO}, follow=True))
    assert "1 invitation made." in page
    assert "30 invitations an hour, and 3 a day to one address" in page


def test_to_invite_super_admins_takes_a_fresh_proof(super_admin_client, connected_organization):
    forget_proofs(super_admin_client)
    answer = super_admin_client.post(URL, {"role": "super_admin", "address": ["super-admin@acme.example"]})
    assert answer.status_code == 302
    assert "people" in answer["Location"]
    assert invited() == []
    super_admin_client.post(URL, {"role": "team_member", "address": TWO})
    assert len(invited()) == 2


def test_an_empty_role_and_an_answer_that_is_missing_are_explained(
    super_admin_client, connected_organization, monkeypatch
):
    for address in TWO:
        factories.invited(connected_organization, address)
    page = text(super_admin_client.get(f"{PAGE}=team_member"))
    assert "Everybody who is Team Member in Lever is a member already, or is invited." in page
    monkeypatch.setattr(LeverClient, "users", Mock(side_effect=PlatformError("Lever refused it", status=403)))
    assert "could not be read: Lever refused it" in text(super_admin_client.get(PAGE))
    posted = super_admin_client.post(URL, {"role": "admin", "address": TWO}, follow=True)
    assert "Lever refused it" in text(posted)


def test_the_team_page_marks_the_last_super_admin_who_is_deactivated_in_lever(
    super_admin_client, organization
):
    team = "/settings/team/"
    assert "Keeps access until" not in text(super_admin_client.get(team))
    Membership.objects.update(deactivated_in_lever_at=organization.created_at)
    assert "Keeps access until somebody else is Super Admin." in text(super_admin_client.get(team))
