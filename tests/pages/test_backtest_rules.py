"""The preview shows what changed rules would have decided, and writes nothing."""

import re

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from playwright.sync_api import Browser

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.organizations.models.organization import Organization
from integrations.pages import backtest
from tests.pages.settings.test_rules import SAME
from tests.support import factories
from tests.support.browsing import Visit
from tests.support.page_text import text
from tests.support.past_decisions import decide_about

URL = "/settings/rules/preview/"
#: That read rows; a savepoint reads none.
MOST_QUERIES = 13


def counts(answer) -> dict[str, tuple[int, int]]:
    return {one.label: (one.then, one.now) for one in answer.context["summary"].counts}


def test_it_shows_who_would_have_been_decided_differently(organization_admin_client, decided):
    answer = organization_admin_client.post(URL, SAME | {"default_assessment": "Design"})
    assert "1 of 3 decisions would be different" in text(answer)
    assert counts(answer) == {"Invite": (2, 3), "No assessment": (1, 0)}
    [row] = answer.context["summary"].rows
    assert (row.candidate.name, row.candidate.role_title, row.now.detail) == (
        "Candidate Birch",
        "Designer",
        "Design",
    )
    assert 'href="/activity/opportunity-birch/"' in answer.content.decode()


def test_the_bulk_limit_is_tried(organization_admin_client, decided):
    answer = organization_admin_client.post(URL, SAME | {"bulk_limit": "1"})
    assert counts(answer) == {"Invite": (2, 1), "On hold": (0, 1), "No assessment": (1, 1)}
    assert [row.candidate.name for row in answer.context["summary"].rows] == ["Candidate Cedar"]


def test_rules_that_decide_nothing_change_nothing_and_it_is_said(organization_admin_client, decided):
    answer = organization_admin_client.post(URL, SAME | {"leaving": "keep"})
    assert "All 3 decisions would be the same" in text(answer)
    assert "You changed no rule about who is invited" in text(answer)
    changed = organization_admin_client.post(URL, SAME | {"bulk_limit": "49"})
    assert "You changed no rule" not in text(changed)


def test_a_mapping_that_was_added_since_is_said_to_be_the_reason(organization_admin_client, decided):
    RoleMapping.objects.create(organization=decided, role="Designer", assessment="Design")
    answer = organization_admin_client.post(URL, SAME)
    assert "1 of 3 decisions would be different" in text(answer)
    assert "rules and mappings that were changed since" in text(answer)


def test_nothing_is_written(organization_admin_client, decided):
    organization_admin_client.post(URL, SAME)
    rows = {model: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    organization_admin_client.post(URL, SAME | {"default_assessment": "Design", "stage_prefix": "Test"})
    assert {model: list(model._base_manager.order_by("pk").values()) for model in rows} == rows


def hidden_fields(answer) -> dict[str, str]:
    inputs = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', answer.content.decode())
    return {name: value for name, value in inputs if name != "csrfmiddlewaretoken"}


def test_saving_stores_what_was_previewed(organization_admin_client, decided):
    wanted = SAME | {"default_assessment": "Design", "bulk_limit": "7", "origin_agency": "skip"}
    del wanted["note_on_skip"]
    shown = organization_admin_client.post(URL, wanted)
    organization_admin_client.post("/settings/rules/", hidden_fields(shown))
    stored = Organization.objects.get(pk=decided.pk)
    assert (stored.default_assessment, stored.bulk_limit, stored.note_on_skip) == ("Design", 7, False)
    assert stored.origins == {"agency": "skip"}


def test_going_back_keeps_what_was_entered(organization_admin_client, decided):
    shown = organization_admin_client.post(URL, SAME | {"bulk_limit": "7"})
    back = organization_admin_client.post(URL, hidden_fields(shown) | {"back": "1"})
    assert "integrations/rules.html" in [template.name for template in back.templates]
    assert 'name="bulk_limit" value="7"' in back.content.decode()
    assert Organization.objects.get(pk=decided.pk).bulk_limit == 50


def test_rules_that_cannot_be_saved_are_not_previewed(organization_admin_client, decided):
    answer = organization_admin_client.post(URL, SAME | {"bulk_window": "0"})
    assert "greater than or equal to 1" in text(answer)
    assert "integrations/rules.html" in [template.name for template in answer.templates]


def test_an_organization_without_deliveries_is_told_what_will_stand_here(
    organization_admin_client, organization
):
    answer = organization_admin_client.post(URL, SAME)
    assert "There is nothing to compare with yet" in text(answer)


def test_the_address_alone_shows_the_rules(organization_admin_client, organization):
    answer = organization_admin_client.get(URL)
    assert "integrations/rules.html" in [template.name for template in answer.templates]


def test_a_long_history_is_cut_and_it_is_said(organization_admin_client, decided, monkeypatch):
    monkeypatch.setattr(backtest, "MOST", 2)
    monkeypatch.setattr(backtest, "MOST_LISTED", 1)
    factories.DeliveryFactory.create(
        organization=decided, verdict="invite", decided_at=timezone.now(), due_at=None
    )
    answer = organization_admin_client.post(URL, SAME | {"stage_prefix": "Test"})
    assert "These are the newest 2 decisions" in text(answer)
    assert "1 more can't be compared" in text(answer)
    assert "1 of 1 decisions would be different" in text(answer)


def test_the_list_is_bounded(organization_admin_client, decided, monkeypatch):
    monkeypatch.setattr(backtest, "MOST_LISTED", 1)
    answer = organization_admin_client.post(URL, SAME | {"stage_prefix": "Test"})
    assert "The newest 1 of 3" in text(answer)
    assert [row.candidate.name for row in answer.context["summary"].rows] == ["Candidate Cedar"]


def test_what_lever_was_not_asked_then_is_said(organization_admin_client, organization):
    factories.DeliveryFactory.create(
        organization=organization,
        verdict="not_a_trigger_stage",
        decided_at=timezone.now(),
        due_at=None,
        facts={"version": 1, "stage": ["stage-2", "Phone screen"]},
    )
    answer = organization_admin_client.post(URL, SAME | {"stage_prefix": "Phone"})
    assert counts(answer) == {"Not a CodeScreen stage": (1, 0), "Not known": (0, 1)}
    assert "Lever wasn't asked about this candidate then" in answer.context["summary"].rows[0].now.detail


def test_another_organizations_deliveries_are_not_counted(stranger_client, decided):
    assert "nothing to compare" in text(stranger_client.post(URL, SAME))


def test_it_needs_as_many_queries_for_many_as_for_few(organization_admin_client, decided):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            organization_admin_client.post(URL, SAME | {"stage_prefix": "Test"})
        return sum(" FROM " in query["sql"] for query in queries)

    count()
    few = count()
    for number in range(30):
        decide_about(decided, f"opportunity-{number}", "Designer", timezone.now())
    assert count() == few <= MOST_QUERIES


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_is_reached_from_the_rules_and_leads_back(
    browser: Browser, live_server, super_admin, decided
) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        visit.page.goto(f"{live_server.url}/settings/rules/")
        visit.page.get_by_label("Assessment for all other roles").select_option("Design")
        visit.page.get_by_role("button", name="Preview with the last 90 days").click()
        visit.page.get_by_role("heading", name="1 of 3 decisions would be different").wait_for()
        visit.check()
        visit.page.get_by_role("button", name="Back to the rules").click()
        field = visit.page.get_by_label("Assessment for all other roles")
        assert field.input_value() == "Design"
        visit.page.get_by_role("button", name="Preview with the last 90 days").click()
        visit.page.get_by_role("button", name="Save these rules").click()
        visit.page.get_by_text("The rules are saved.").wait_for()
        assert visit.problems == []
