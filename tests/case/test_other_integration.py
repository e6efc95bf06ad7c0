"""While CodeScreen's own Lever integration may be on too, nothing is sent; what arrives waits until it is off."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.case.other_integration import leads_to_codescreen
from integrations.core.rules.facts import EnteredBefore, Pause
from integrations.core.vocabulary import ProgressTag
from integrations.health import doctor
from integrations.lever.acts.connection import connect_by_consent, connect_by_key
from integrations.lever.models.connection import LeverAccess
from integrations.organizations.acts import record_restore
from integrations.organizations.models.organization import Organization
from integrations.queue import duties
from tests.support.scenario import STAGE, verdict

#: CodeScreen's own integration, switched on in the sandbox's Lever.
ON = {"neighbour": True, "neighbour_ms": 60_000}


def probe(scenario) -> Organization:
    duties.probe_lever(Organization.objects.reread(scenario.organization.pk))
    return Organization.objects.reread(scenario.organization.pk)


def level_of_finding(organization) -> str:
    """Return the level of the finding about it; empty when there is none."""
    found = [one.level for one in doctor.findings(organization) if one.code == "other_integration"]
    return found[0] if found else ""


def say_it_is_off(scenario):
    scenario.organization.refresh_from_db()
    scenario.set_policies(other_integration_off=True)


@pytest.mark.parametrize(
    ("url", "is_its"),
    [
        ("https://app.codescreen.com/api/lever/candidate_stage_changed", True),
        ("https://codescreen.com/x", True),
        ("HTTPS://APP.CODESCREEN.COM.:443/x", True),
        ("https://notcodescreen.com/x", False),
        ("https://codescreen.com.example/x", False),
        ("https://portal.example/webhooks/lever/codescreen.com/", False),
        ("not an address", False),
        ("", False),
    ],
)
def test_an_address_of_codescreen_is_known_by_its_host(url, is_its):
    assert leads_to_codescreen(url) is is_its


def test_nothing_is_sent_while_lever_lists_its_webhook_and_all_wait_until_that_is_gone(scenario, sandbox):
    sandbox.lever_does("settings", **ON)
    assert probe(scenario).pause is Pause.OTHER_INTEGRATION
    delivery = scenario.enter()
    assert (delivery.verdict, sandbox.invitations_sent()) == ("paused", 0)
    assert "CodeScreen's own Lever integration" in delivery.explanation
    assert level_of_finding(scenario.organization) == "error"
    sandbox.lever_does("settings", neighbour=False)
    assert probe(scenario).pause is None
    scenario.work()
    assert (verdict(delivery), sandbox.invitations_sent()) == ("invite", 1)
    assert level_of_finding(scenario.organization) == ""


def by_consent(organization, sandbox, person):
    access = LeverAccess(sandbox.tokens(), sandbox.account.id, str(sandbox.account.actor()))
    connect_by_consent(organization, access, person)


def by_key(organization, sandbox, person):
    access = LeverAccess(api_key=sandbox.lever_does("key")["api_key"])
    connect_by_key(organization, access, str(sandbox.account.actor()), person)


@pytest.mark.parametrize("connect", [by_consent, by_key])
def test_nothing_is_sent_after_connecting_to_a_lever_that_lists_its_webhook(
    scenario, sandbox, super_admin, connect
):
    sandbox.lever_does("settings", **ON)
    connect(scenario.organization, sandbox, super_admin)
    assert Organization.objects.reread(scenario.organization.pk).pause is Pause.OTHER_INTEGRATION
    assert (scenario.enter().verdict, sandbox.invitations_sent()) == ("paused", 0)


def test_lever_is_connected_when_its_webhooks_cannot_be_read(scenario, sandbox, super_admin):
    scenario.lever_fails("/webhooks$", method="GET", status=503, times=9)
    by_consent(scenario.organization, sandbox, super_admin)
    assert (scenario.enter().verdict, sandbox.invitations_sent()) == ("invite", 1)


def test_a_persons_word_lifts_the_wait_and_a_webhook_that_is_still_listed_is_told(scenario, sandbox):
    sandbox.lever_does("settings", **ON)
    probe(scenario)
    delivery = scenario.enter()
    say_it_is_off(scenario)
    assert AuditEntry.objects.latest("pk").changes == {"other_integration_off": [False, True]}
    scenario.work()
    assert (verdict(delivery), sandbox.invitations_sent()) == ("invite", 1)
    assert level_of_finding(probe(scenario)) == "warning"


def test_a_webhook_that_is_listed_anew_counts_against_a_persons_earlier_word(scenario, sandbox):
    say_it_is_off(scenario)
    sandbox.lever_does("settings", **ON)
    organization = probe(scenario)
    assert (organization.pause, organization.other_integration_off) == (Pause.OTHER_INTEGRATION, False)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor_name, entry.changes) == ("the portal", {"other_integration_off": [True, False]})


def test_an_unexplained_progress_tag_on_somebody_who_just_moved_holds_everybody_up(scenario, sandbox):
    scenario.set_policies(default_assessment="Backend")
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])
    first = scenario.enter()
    second = scenario.enter("Hazel")
    assert (first.verdict, second.verdict) == ("paused", "paused")
    assert sandbox.invitations_sent() == 0
    assert level_of_finding(scenario.organization) == "error"
    say_it_is_off(scenario)
    scenario.work()
    assert (verdict(first), verdict(second)) == ("entered_before", "invite")
    assert first.explanation == EnteredBefore.PROGRESS_TAG.explain(STAGE)
    assert sandbox.invitations_sent() == 1


def test_a_restore_explains_the_tag_and_lifts_the_wait(scenario, sandbox):
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])
    delivery = scenario.enter()
    assert delivery.verdict == "paused"
    record_restore(scenario.organization, scenario.organization.created_at, None, "restored")
    scenario.work()
    assert verdict(delivery) == "entered_before"
    assert Organization.objects.reread(scenario.organization.pk).pause is None
