"""The health page: the findings of the doctor and the linter, and the queue's state."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from integrations.models import CircuitBreaker, Heartbeat, RoleMapping
from tests import factories


def test_findings_are_sorted_by_level_and_link_to_their_fix(super_admin_client, organization):
    answer = super_admin_client.get(reverse("health"))
    levels = [finding.level for finding in answer.context["findings"]]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    assert "lever_not_connected" in {finding.code for finding in answer.context["findings"]}
    assert 'href="/settings/"' in answer.content.decode()


def test_the_linters_findings_are_listed_too(super_admin_client, ready_organization):
    RoleMapping.objects.create(
        organization=ready_organization, role="Backend Engineer", stage="Nowhere", assessment="Bakend"
    )
    found = super_admin_client.get(reverse("health")).context["findings"]
    assert "unknown_assessment" in {finding.code for finding in found}


def test_no_finding_is_listed_twice(super_admin_client, ready_organization):
    found = super_admin_client.get(reverse("health")).context["findings"]
    assert len(found) == len(set(found))


def test_the_queues_state_is_shown(super_admin_client, ready_organization):
    late = timezone.now() - timedelta(minutes=10)
    factories.EffectFactory.create(organization=ready_organization, due_at=late)
    factories.EffectFactory.create(
        organization=ready_organization, due_at=timezone.now() + timedelta(hours=1)
    )
    factories.EffectFactory.create(due_at=late - timedelta(days=1))
    CircuitBreaker.objects.create(
        organization=ready_organization, platform="lever", failures=7, open_until=timezone.now()
    )
    Heartbeat.beat()
    answer = super_admin_client.get(reverse("health"))
    queue = answer.context["queue"]
    assert (queue.oldest_due_at, queue.due, queue.later) == (late, 1, 1)
    page = " ".join(answer.content.decode().split())
    assert "doesn't answer" in page or "doesn&#x27;t answer" in page
    assert "7 calls in a row" in page


def test_the_number_of_queries_does_not_grow(
    super_admin_client, ready_organization, django_assert_max_num_queries
):
    for _ in range(30):
        factories.DeliveryFactory.create(organization=ready_organization)
        factories.EffectFactory.create(organization=ready_organization)
    with django_assert_max_num_queries(60):
        super_admin_client.get(reverse("health"))
