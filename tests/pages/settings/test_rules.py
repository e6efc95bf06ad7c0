"""Rules are saved whole, or not at all with the reason; names are chosen from what the platforms list."""

import re

import pytest
from playwright.sync_api import Browser

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import Stage
from integrations.clients.models import ApiCall
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList
from tests.support.browsing import Visit
from tests.support.factories import recorded
from tests.support.page_text import text

URL = "/settings/rules/"
SAME = {
    "stage_prefix": "CodeScreen",
    "default_assessment": "",
    "note_on_skip": "on",
    "note_on_wait": "on",
    "bulk_limit": "50",
    "bulk_window": "10",
    "rating_thresholds": "25, 50, 75",
    "rating_follows_result": "on",
}


def test_rules_of_all_groups_are_saved_at_once_and_no_pause_begins(organization_admin_client, organization):
    changed = {"bulk_limit": "7", "passing_score": "70", "retention_days": "9", "paused": "on"}
    organization_admin_client.post(URL, SAME | changed)
    assert recorded().get().changes == {
        "bulk_limit": [50, 7],
        "passing_score": [None, 70],
        "retention_days": [365, 9],
    }


def test_invalid_rules_are_rejected_with_the_reason_at_the_top(organization_admin_client, organization):
    page = text(organization_admin_client.post(URL, SAME | {"bulk_window": "0", "bulk_limit": "7"}))
    summary = page.split('role="alert"')[1].split("</div>")[0]
    assert '<a href="#id_bulk_window">' in summary
    assert "greater than or equal to 1" in summary
    assert page.count("greater than or equal to 1") == 2  # there and at the field
    assert Organization.objects.get(pk=organization.pk).bulk_limit == 50


def test_the_report_as_a_file_is_switched_on_and_the_missing_permission_explained(
    organization_admin_client, ready_organization
):
    before = organization_admin_client.get(URL)
    assert "files:write:admin" not in text(before)  # it isn't known what Lever granted
    ready_organization.lever_connection.scopes = "offline_access notes:write:admin"
    ready_organization.lever_connection.save()
    assert "The report as a PDF needs a permission that Lever hasn't given the portal" in text(
        organization_admin_client.get(URL)
    )
    organization_admin_client.post(URL, SAME | {"attach_report": "on"})
    assert recorded().get(organization=ready_organization).changes == {"attach_report": [False, True]}
    page = text(organization_admin_client.get(URL))
    assert "No report can be attached yet" in page
    assert "Reconnect Lever" in page


def test_what_happens_by_origin_is_saved_and_shown_or_refused(organization_admin_client, organization):
    organization_admin_client.post(URL, SAME | {"origin_agency": "hold", "origin_internal": "skip"})
    wanted = {"agency": "hold", "internal": "skip"}
    assert Organization.objects.get(pk=organization.pk).origins == wanted
    assert recorded().get(organization=organization).changes == {"origins": [{}, wanted]}
    assert '<option value="hold" selected>' in organization_admin_client.get(URL).content.decode()
    # what isn't posted stays, and says “send” as well as nothing does
    Organization.objects.update(origins=wanted | {"applied": "send"})
    organization_admin_client.post(URL, SAME | {"origin_internal": "skip"})
    assert Organization.objects.get(pk=organization.pk).origins == wanted | {"applied": "send"}
    organization_admin_client.post(URL, SAME | {"origin_internal": "send"})
    refused = organization_admin_client.post(URL, SAME | {"origin_agency": "never", "bulk_limit": "7"})
    assert list(refused.context["form"].errors) == ["origin_agency"]
    stored = Organization.objects.get(pk=organization.pk)
    assert (stored.origins, stored.bulk_limit) == ({"agency": "hold"}, 50)


def test_what_somebody_else_changed_since_the_page_was_opened_stays(organization_admin_client, organization):
    page = organization_admin_client.get(URL).content.decode()
    shown = re.findall(r'name="(initial-[^"]+)"(?: value="([^"]*)")?', page)
    assert {"initial-bulk_limit": "50", "initial-note_on_wait": "True"}.items() <= dict(shown).items()
    others = {"passing_score": 80, "note_on_wait": False, "origins": {"internal": "skip"}}
    Organization.objects.update(**others)
    posted = SAME | dict(shown) | {"passing_score": "", "origin_internal": "send"}
    organization_admin_client.post(URL, posted | {"bulk_limit": "7", "origin_agency": "hold"})
    assert recorded().get(organization=organization).changes == {
        "bulk_limit": [50, 7],
        "origins": [{"internal": "skip"}, {"agency": "hold", "internal": "skip"}],
    }


def options(answer, name: str) -> list[str]:
    select = re.search(rf'<select name="{name}".*?</select>', answer.content.decode(), re.DOTALL)
    assert select, f"{name} is no list"
    return re.findall(r'<option value="([^"]*)"', select[0])


@pytest.mark.parametrize(
    ("name", "offered", "wrong", "reason"),
    [
        (
            "default_assessment",
            ["", "Backend"],
            "Backnd",
            "CodeScreen has no assessment “Backnd”. Did you mean “Backend”?",
        ),
        (
            "stage_on_pass",
            ["", "CodeScreen Assessment", "Phone screen"],
            "Nowhere",
            "Lever has no stage “Nowhere”.",
        ),
    ],
)
def test_names_of_the_platform_are_offered_and_no_others_accepted(
    organization_admin_client, ready_organization, name, offered, wrong, reason
):
    Stage.objects.create(organization=ready_organization, external_id="stage-phone", name="Phone screen")
    assert options(organization_admin_client.get(URL), name) == offered
    answer = organization_admin_client.post(URL, SAME | {name: wrong})
    assert answer.context["form"].errors[name] == [reason]
    assert getattr(Organization.objects.get(pk=ready_organization.pk), name) == ""


def test_a_name_can_be_typed_while_no_list_is_known(organization_admin_client, organization):
    assert '<input type="text" name="default_assessment"' in text(organization_admin_client.get(URL))
    organization_admin_client.post(URL, SAME | {"default_assessment": "Anything"})
    assert Organization.objects.get(pk=organization.pk).default_assessment == "Anything"


def test_a_stored_name_that_is_unknown_now_is_named_and_keeps_nothing_from_being_saved(
    organization_admin_client, ready_organization
):
    Organization.objects.update(default_assessment="Gone", bulk_limit=50)
    page = organization_admin_client.get(URL)
    assert "CodeScreen has no assessment “Gone”. Choose another below." in text(page)
    assert options(page, "default_assessment") == ["", "Gone", "Backend"]
    organization_admin_client.post(URL, SAME | {"default_assessment": "Gone", "bulk_limit": "7"})
    stored = Organization.objects.get(pk=ready_organization.pk)
    assert (stored.default_assessment, stored.bulk_limit) == ("Gone", 7)


def test_the_focus_is_on_what_to_correct_after_a_failed_save(
    browser: Browser, live_server, ready_organization, super_admin
):
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        page.goto(visit.site + URL)
        page.fill("[name=rating_thresholds]", "80, 50, 75")
        page.get_by_role("button", name="Save changes").click()
        summary = page.get_by_role("alert")
        page.locator("[role=alert]:focus").wait_for()
        box = summary.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= page.evaluate("innerHeight")


# the lists


@pytest.mark.parametrize(
    ("entries", "chosen", "choices"),
    [
        # entries that share a name are offered by id
        (
            [("a", "Chef"), ("b", "Chef"), ("c", "Baker")],
            "",
            [("a", "Chef (a)"), ("b", "Chef (b)"), ("Baker", "Baker")],
        ),
        # a value that is stored as an id, or written otherwise, stays selected
        ([("a", "Backend"), ("b", "Data")], "b", [("Backend", "Backend"), ("b", "Data")]),
        ([("a", "Backend"), ("b", "Data")], " backend", [(" backend", "Backend"), ("Data", "Data")]),
    ],
)
def test_a_list_offers_names_and_the_stored_value_as_it_is(entries, chosen, choices):
    assert PickList("Lever", "role", entries).choices(chosen, "Choose…") == [("", "Choose…"), *choices]


def test_nothing_is_refused_by_a_list_that_was_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(pick_list, "MOST_KNOWN", 2)
    entries = [("a", "Backend"), ("b", "Data")]
    assert PickList("CodeScreen", "assessment", entries).refusal("Other") == ""
    assert PickList("CodeScreen", "assessment", entries[:1]).refusal("Other")


# the author of feedback is one of them, and is chosen from Lever's users


@pytest.fixture
def users(connected_organization, sandbox):
    """Two users who are active in Lever and didn't connect it."""
    account = sandbox.lever.accounts["acme"]
    active = [user for user in account.users.values() if user.deactivated_at is None]
    return [user for user in active if user.id != account.actor()][:2]


def author() -> tuple[str, str]:
    stored = LeverConnection.objects.get()
    return stored.feedback_author, stored.feedback_author_name


def test_an_admin_chooses_among_levers_active_users_or_leaves_it_to_who_connected(
    organization_admin_client, users
):
    chosen, gone = users
    gone.deactivated_at = 1
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert f'value="{chosen.id}"' in page
    assert f'value="{gone.id}"' not in page
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id})
    assert author() == (chosen.id, chosen.name)
    assert chosen.name in organization_admin_client.get(URL).content.decode()
    entry = AuditEntry.objects.get(action="change_policies")
    assert entry.changes == {"feedback_author": ["", chosen.id]}
    organization_admin_client.post(URL, SAME | {"feedback_author": ""})
    assert author() == ("", "")


def test_who_is_not_active_in_lever_is_refused_but_stays_where_they_were_chosen_before(
    organization_admin_client, users
):
    chosen, gone = users
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id})
    chosen.deactivated_at = gone.deactivated_at = 1
    answer = organization_admin_client.post(URL, SAME | {"feedback_author": gone.id})
    assert "choose another" in answer.content.decode()
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert f"{chosen.name} (not active in Lever)" in page
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id, "bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7
    assert author() == (chosen.id, chosen.name)


def test_the_page_says_why_when_lever_doesnt_answer(organization_admin_client, organization):
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert "could not be read" in page
    answer = organization_admin_client.post(URL, SAME | {"feedback_author": "somebody"})
    assert "could not be read" in answer.context["form"].non_field_errors()[0]


def test_lever_is_not_asked_unless_an_author_is_to_be_chosen(organization_admin_client, users):
    assert "?author#id_feedback_author" in organization_admin_client.get(URL).content.decode()
    assert not ApiCall.objects.filter(path__contains="/users").exists()
    organization_admin_client.post(URL, SAME | {"bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7
