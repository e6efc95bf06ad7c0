"""The preview of one mapping shows what it alone would have decided differently, and writes nothing."""

import pytest
from django.apps import apps
from django.urls import reverse
from playwright.sync_api import Browser

from integrations.catalog.models.platform_lists import Role
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.pages import backtest
from tests.pages.test_backtest_rules import counts, hidden_fields
from tests.support.browsing import Visit
from tests.support.page_text import text

NEW = "/mappings/add/preview/"
DESIGNER = {"role": "Designer", "stage": "", "assessment": "Design"}


@pytest.fixture(autouse=True)
def designers(decided):
    """The role of the candidate who got no assessment, as Lever lists it."""
    Role.objects.create(
        organization=decided, external_id="role-designer", title="Designer", state="published"
    )


@pytest.fixture
def backend(decided) -> RoleMapping:
    return RoleMapping.objects.get(organization=decided)


def preview_of(mapping) -> str:
    return reverse("mapping-edit-preview", kwargs={"pk": mapping.pk})


def test_a_new_mapping_shows_who_would_have_been_decided_differently(organization_admin_client):
    answer = organization_admin_client.post(NEW, DESIGNER)
    assert "1 of 3 decisions would be different" in text(answer)
    assert counts(answer) == {"Invite": (2, 3), "No assessment": (1, 0)}
    [row] = answer.context["summary"].rows
    assert (row.candidate.name, row.then.label, row.now.detail) == (
        "Candidate Birch",
        "No assessment",
        "Design",
    )
    assert "Designer gets <strong>Design</strong>" in text(answer)


def test_a_changed_mapping_is_compared_with_the_stored_one(organization_admin_client, backend):
    changed = {"role": backend.role, "stage": "", "assessment": "Design"}
    answer = organization_admin_client.post(preview_of(backend), changed)
    assert {(row.then.detail, row.now.detail) for row in answer.context["summary"].rows} == {
        ("Backend", "Design")
    }
    assert "2 of 3 decisions would be different" in text(answer)
    assert RoleMapping.objects.get(pk=backend.pk).assessment == "Backend"


def test_what_was_changed_since_is_no_difference(organization_admin_client, decided, backend):
    RoleMapping.objects.create(organization=decided, **DESIGNER)
    same = {"role": backend.role, "stage": "", "assessment": "Backend"}
    answer = organization_admin_client.post(preview_of(backend), same)
    assert "All 3 decisions would be the same" in text(answer)
    assert counts(answer) == {"Invite": (3, 3)}


def test_nothing_is_written(organization_admin_client, backend):
    organization_admin_client.post(NEW, DESIGNER)
    rows = {model: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    organization_admin_client.post(NEW, DESIGNER)
    organization_admin_client.post(preview_of(backend), {**DESIGNER, "assessment": "Backend"})
    assert {model: list(model._base_manager.order_by("pk").values()) for model in rows} == rows


def test_saving_stores_what_was_previewed_and_returns_to_the_list(organization_admin_client, decided):
    shown = organization_admin_client.post(NEW, DESIGNER | {"next": "/mappings/?show=unmapped"})
    saved = organization_admin_client.post(shown.context["save_url"], hidden_fields(shown))
    assert saved["Location"].startswith("/mappings/?show=unmapped")
    assert RoleMapping.objects.get(role="Designer").assessment == "Design"


def test_going_back_keeps_what_was_entered(organization_admin_client, backend):
    for address, entered in ((NEW, DESIGNER), (preview_of(backend), DESIGNER | {"role": backend.role})):
        shown = organization_admin_client.post(address, entered)
        back = organization_admin_client.post(address, hidden_fields(shown) | {"back": "1"})
        assert "integrations/rolemapping_form.html" in [template.name for template in back.templates]
        assert back.context["form"]["assessment"].value() == "Design"


def test_a_mapping_that_cannot_be_saved_is_not_previewed(organization_admin_client, backend):
    answer = organization_admin_client.post(NEW, DESIGNER | {"assessment": "Nonsense"})
    assert "integrations/rolemapping_form.html" in [template.name for template in answer.templates]
    answer = organization_admin_client.post(NEW, {"role": backend.role, "stage": "", "assessment": "Design"})
    assert "This role already has an assessment" in text(answer)


def test_the_address_alone_shows_the_form(organization_admin_client, backend):
    for address in (NEW, preview_of(backend)):
        page = organization_admin_client.get(address)
        assert "Preview with the last 90 days" in text(page)


def test_a_long_history_is_cut_and_it_is_said(organization_admin_client, monkeypatch):
    monkeypatch.setattr(backtest, "MOST_TWICE", 2)
    page = text(organization_admin_client.post(NEW, DESIGNER))
    assert "These are the newest 2 decisions" in page


def test_another_organizations_mapping_is_not_found(stranger_client, backend):
    assert stranger_client.post(preview_of(backend), DESIGNER).status_code == 404


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_is_reached_from_the_form_and_leads_back(browser: Browser, live_server, super_admin) -> None:
    with Visit(browser, live_server.url, super_admin) as visit:
        page = visit.page
        page.goto(f"{live_server.url}/mappings/add/?role=Designer&next=/mappings/")
        page.get_by_label("Assessment", exact=True).select_option("Design")
        page.get_by_role("button", name="Preview with the last 90 days").click()
        page.get_by_role("heading", name="1 of 3 decisions would be different").wait_for()
        visit.check()
        page.get_by_role("button", name="Back to the mapping").click()
        assert page.get_by_label("Assessment", exact=True).input_value() == "Design"
        page.get_by_role("button", name="Preview with the last 90 days").click()
        page.get_by_role("button", name="Save this mapping").click()
        page.get_by_text("is added.").wait_for()
        assert visit.problems == []
