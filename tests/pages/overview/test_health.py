"""Health on the overview: the findings of the doctor and the linter, incidents, and the queue's state."""

from datetime import timedelta
from html import unescape

from django.urls import reverse
from django.utils import timezone

from integrations.catalog.models import RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.finding_code import ACTIVITY, HEALTH, MAPPINGS, SETTINGS, FindingCode, Level
from integrations.health.findings import Finding
from integrations.health.models import Incident, WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.pages.overview import health
from portal.templatetags.parts import age
from tests.support import factories
from tests.support.page_text import text


def findings(answer) -> list[Finding]:
    """The findings that Health lists on a page."""
    return [finding for group in answer.context["health"]["groups"] for finding in group.findings]


def test_health_lists_the_linters_findings_and_none_that_needs_attention_now(
    super_admin_client, ready_organization
):
    RoleMapping.objects.create(
        organization=ready_organization, role="Backend Engineer", stage="Nowhere", assessment="Bakend"
    )
    CodeScreenConnection.objects.update(state="refused", state_reason="HTTP 401")
    Organization.objects.filter(pk=ready_organization.pk).update(paused=True)
    answer = super_admin_client.get(reverse("overview"))
    assert "Enter the API key" in [item.act for item in answer.context["attention"]]
    found = findings(answer)
    assert FindingCode.CODESCREEN_KEY_REFUSED not in {finding.code for finding in found}
    [setup] = [group for group in answer.context["health"]["groups"] if group.code == "setup"]
    assert "unknown_assessment" in {finding.code for finding in setup.findings}
    assert len(found) == len(set(found)), "no finding is listed twice"


def test_the_page_says_what_was_last_heard_from_lever(super_admin_client, ready_organization):
    def page() -> str:
        return unescape(text(super_admin_client.get(reverse("overview"))))

    LeverWebhook.objects.update(last_received_at=None, last_verified_at=None)
    assert "none yet" in page()
    WebhookRejection.record(ready_organization, "lever", "signature_mismatch", "unknown_token")
    rejected = page()
    for words in (
        "We rejected Lever's last message: wrong signature.",
        "Copy the token beside “Candidate Stage Change” in Lever again.",
        'href="/settings/?change&next=/%23next-step#by-hand">Enter the token',
    ):
        assert rejected.count(words) == 1
    assert rejected.count("We rejected") == 1
    WebhookRejection.objects.all().delete()
    LeverWebhook.objects.update(last_verified_at=timezone.now())
    verified = page()
    assert "none yet" not in verified
    assert "only Lever's test, " in verified


def test_outages_that_go_on_stand_apart_and_what_waits_for_a_person_is_none(super_admin_client, organization):
    now = timezone.now()
    for code, began, ended in (
        ("platform_down", 3, 1),
        ("webhook_removed", 5, None),
        ("uncertain_invitations", 5, None),
        ("held_invitations", 2, 1),
    ):
        Incident.objects.create(
            organization=organization,
            code=code,
            began_at=now - timedelta(hours=began),
            ended_at=None if ended is None else now - timedelta(hours=ended),
        )
    factories.OrganizationFactory.create().incidents.create(code="webhook_removed")
    answer = super_admin_client.get(reverse("overview"))
    rows = {
        state: [(row.title, age(row.began_at, row.ended_at)) for row in rows]
        for state, rows in answer.context["health"]["incidents"].items()
    }
    assert rows == {
        "ongoing": [("The webhook was removed in Lever", "5 hours")],
        "over": [("Lever or CodeScreen doesn't answer", "2 hours")],
    }
    page = answer.content.decode()
    assert page.count("Ongoing") == 1
    assert f'href="/activity/?since={timezone.localdate(now - timedelta(hours=5))}"' in page


def test_of_many_undecided_deliveries_the_oldest_are_shown_and_the_cut_is_said(
    super_admin_client, ready_organization, monkeypatch
):
    """The finding names the oldest ids: those are in the table."""
    monkeypatch.setattr(health, "MOST_UNDECIDED", 2)
    two_days_ago = timezone.now() - timedelta(days=2)

    def received(minutes: int, due_at=None) -> int:
        at = two_days_ago + timedelta(minutes=minutes)
        own = {"organization": ready_organization, "verdict": "", "received_at": at, "due_at": due_at}
        return factories.DeliveryFactory.create(**own).pk

    stuck = [received(minutes) for minutes in (1, 2)]
    waiting = [received(0, timezone.now())]
    answer = super_admin_client.get(reverse("overview"))
    assert [delivery.pk for delivery, _ in answer.context["health"]["undecided"]] == [*stuck, *waiting]
    assert "There are more." not in text(answer)
    received(3)
    answer = super_admin_client.get(reverse("overview"))
    assert [delivery.pk for delivery, _ in answer.context["health"]["undecided"]] == [*stuck, *waiting]
    assert "There are more. Shown are the oldest 2 that the portal no longer tries" in text(answer)
    assert 'href="/#undecided">See who waits' in text(answer)


def test_each_finding_has_words_for_its_link():
    for url in (ACTIVITY, HEALTH, MAPPINGS, SETTINGS):
        for code in FindingCode:
            assert Finding(code, Level.INFO, "", "", url).link_text not in {"", "Open"}
