"""Lists of candidates that a member saves by their filters."""

from integrations.members.models.membership import Membership
from integrations.pages.activity.actions import MOST_SAVED_LISTS
from integrations.pages.activity.candidate_filters import CandidateFilters
from tests.support.page_text import text

SAVE = "/candidates/save/"
HELD = CandidateFilters(view="held", role="Backend Engineer", sort="name")


def shown(client, address: str) -> list[str]:
    return [one.title for one in client.get(address).context["saved_lists"]]


def save(client, filters: CandidateFilters, **fields: str) -> str:
    form = {"filters": filters.query.urlencode(), "next": filters.url, **fields}
    return text(client.post(SAVE, form, follow=True))


def test_a_saved_list_stands_above_the_tabs_until_it_is_removed(super_admin_client, team_member_client):
    assert "Save this list" in text(super_admin_client.get(HELD.url))
    page = save(super_admin_client, HELD)
    assert "The list is saved." in page
    assert "Remove from saved lists" in page
    page = text(super_admin_client.get("/activity/"))
    assert 'href="/activity/?view=held&amp;role=Backend+Engineer&amp;sort=name"' in page
    assert "On hold · Backend Engineer" in page
    assert shown(team_member_client, "/activity/") == []
    save(super_admin_client, HELD)
    assert shown(super_admin_client, "/activity/") == ["On hold · Backend Engineer"], "it is saved once"
    assert "no longer saved" in save(super_admin_client, HELD, remove="1")
    assert shown(super_admin_client, "/activity/") == []


def test_what_was_searched_for_is_not_stored(super_admin_client, super_admin):
    assert "Save this list" not in text(super_admin_client.get("/activity/?q=Alder"))
    save(super_admin_client, CandidateFilters(q="Alder", view="held"))
    assert Membership.objects.get(user=super_admin).saved_lists == ["view=held"]


def test_a_list_is_called_by_all_its_filters():
    filters = CandidateFilters(
        mine="1",
        view="not_invited",
        reason="no_email",
        role="none",
        origin="agency",
        owner="none",
        step="invited",
        since="2026-11-01",
        became="passed",
    )
    assert filters.title == (
        "My candidates · Not invited · No role · no e-mail address · from Agency · Owner not known · Invited · "
        "from 2026-11-01 · then passed"
    )
    assert CandidateFilters(sort="name").title == "All"


def test_more_lists_than_can_be_shown_are_refused(super_admin_client, super_admin):
    lists = [f"role=Role+{number}" for number in range(MOST_SAVED_LISTS)]
    Membership.objects.filter(user=super_admin).update(saved_lists=lists)
    assert "Remove one first." in save(super_admin_client, HELD)
    assert "no longer saved" in save(super_admin_client, HELD, remove="1"), "it was removed in another tab"
    assert Membership.objects.get(user=super_admin).saved_lists == lists


def test_a_list_is_removed_that_was_saved_by_filters_which_are_none_any_more(super_admin_client, super_admin):
    lists = ["view=gone", "view=gone&role=QA", f"role={'R' * 299}+{'X' * 9}"]
    Membership.objects.filter(user=super_admin).update(saved_lists=lists)
    for one in super_admin_client.get("/activity/").context["saved_lists"]:
        assert "Remove from saved lists" in text(super_admin_client.get(one.url))
        save(super_admin_client, one, remove="1")
    assert Membership.objects.get(user=super_admin).saved_lists == []
