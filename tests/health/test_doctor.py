"""All findings together: their order, the finding `ok`, and the number of queries."""

from integrations.health.doctor import findings
from integrations.organizations.models.organization import Organization


def test_a_new_organization_gets_every_finding_on_the_set_up_the_worst_first(db) -> None:
    found = findings(Organization.objects.create(name="New", slug="new"))
    codes = [finding.code for finding in found]
    assert {"lever_not_connected", "codescreen_not_connected", "no_webhook", "no_super_admin"} <= set(codes)
    levels = [finding.level.severity for finding in found]
    assert levels == sorted(levels, reverse=True)
    assert all(finding.message.endswith((".", "?")) and finding.fix and finding.page.url for finding in found)
