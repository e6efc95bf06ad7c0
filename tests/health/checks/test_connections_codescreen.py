"""Findings on CodeScreen's API key and what its results state."""

from integrations.codescreen.models import CodeScreenConnection
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


def test_a_refused_key_is_an_error(healthy_organization: Organization) -> None:
    CodeScreenConnection.objects.update(state="refused")
    assert code_and_level(healthy_organization) == ("codescreen_key_refused", "error")


def test_an_account_that_states_no_result_is_told_what_never_acts(healthy_organization: Organization) -> None:
    CodeScreenConnection.objects.update(states_results=False)
    assert code_and_level(healthy_organization) == ("results_not_stated", "info")
    Organization.objects.update(failed_tag="Failed")
    finding = only_finding(healthy_organization)
    assert "These have no effect: the result tags." in finding.message
    assert "failureReason to the metadata" in finding.fix


def test_before_the_first_result_only_policies_that_need_one_are_told(
    healthy_organization: Organization,
) -> None:
    CodeScreenConnection.objects.update(states_results=None)
    assert only_finding(healthy_organization).code == "ok"
    Organization.objects.update(failed_tag="Failed")
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("results_not_stated", "info")
    assert finding.message.startswith("No result has arrived yet, so it isn't known")


def test_an_account_that_states_results_is_told_nothing(healthy_organization: Organization) -> None:
    CodeScreenConnection.objects.update(states_results=True)
    Organization.objects.update(failed_tag="Failed")
    assert only_finding(healthy_organization).code == "ok"
