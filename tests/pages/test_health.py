"""The health page says what the doctor and the linter say."""

from django.urls import reverse

from integrations.models import RoleMapping


def test_findings_come_gravest_first_with_a_way_to_mend_them(owners, organization):
    answer = owners.get(reverse("health"))
    levels = [finding.level for finding in answer.context["findings"]]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    assert "lever_not_connected" in {finding.code for finding in answer.context["findings"]}
    assert 'href="/settings/"' in answer.content.decode()


def test_the_linter_speaks_here_too(owners, ready):
    RoleMapping.objects.create(
        organization=ready, role="Backend Engineer", stage="Nowhere", assessment="Bakend"
    )
    found = owners.get(reverse("health")).context["findings"]
    assert "unknown_assessment" in {finding.code for finding in found}


def test_no_finding_is_listed_twice(owners, ready):
    found = owners.get(reverse("health")).context["findings"]
    assert len(found) == len(set(found))
