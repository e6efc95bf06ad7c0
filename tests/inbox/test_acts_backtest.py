"""Stored deliveries decided again: nothing differs under the rules in force, and nothing is written or asked."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.catalog.models.platform_lists import Assessment
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.core.rules.backtest import Unknown
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.past_facts import SOME_ADDRESS
from integrations.core.vocabulary import ErasureCause
from integrations.inbox import acts as backtests
from integrations.inbox.acts import backtest, newest, rules_of
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.privacy.erase import erase
from integrations.queue import on_request
from portal.devtools.sandbox.values import stable_id
from tests.support import factories
from tests.support.waits import work_through_waits

STAGE = "CodeScreen Assessment"
#: Who enters the stage, in this order, and what is decided about each with a bulk limit of 4.
MIX = {
    "Alder": "invite",
    "Nyssa": "no_email",
    "Pine": "archived",
    "Quince": "not_visible",
    "Rowan": "contact_not_allowed",
    "Spruce": "anonymized",
    "Maple": "ambiguous_assessment",
    "Hazel": "no_assessment",
    "Ginkgo": "unknown_assessment",
    "Tamarack": "invite",
    "Oak": "invite",
    "Upas": "invite",
    "Olive": "held_for_approval",
}


def enter(scenario, word, stage=STAGE, **columns):
    """Move a candidate in Lever and decide the delivery. Return it."""
    sandbox = scenario.sandbox
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
    data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(stage)}
    delivery = factories.DeliveryFactory.create(
        organization=scenario.organization,
        opportunity_id=sandbox.opportunity_id(word),
        payload={"event": "candidateStageChange", "data": data},
        **columns,
    )
    work_through_waits()
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def mix(scenario):
    """A scenario in which deliveries of nearly every verdict were decided by the real handling."""
    scenario.set_policies(bulk_limit=4)
    scenario.organization.refresh_from_db()
    decided = {word: enter(scenario, word).verdict for word in MIX}
    assert decided == MIX
    enter(scenario, "Alder", "Phone screen")
    enter(scenario, "Birch", "Phone screen")
    enter(scenario, "Alder")
    enter(scenario, "Birch", event="candidateHired")
    factories.DeliveryFactory.create(organization=scenario.organization, payload={"data": {}})
    scenario.work()
    return scenario


def run(organization, since=None, mappings=None, **policies):
    rules = rules_of(organization, policies, mappings)
    return list(backtest(organization, rules, since or timezone.now() - timedelta(days=90)))


def differing(results):
    return Counter((one.then.code, getattr(one.now, "code", one.now)) for one in results if one.differs)


def test_the_rules_in_force_give_exactly_the_verdicts_that_were_given(mix):
    results = run(mix.organization)
    assert {*MIX.values(), "test_request", "ignored_event", "not_a_trigger_stage", "already_invited"} <= {
        one.then.code for one in results
    }
    # Spruce was erased with what was known
    assert [one.then.code for one in results if not one.is_decided] == ["anonymized"]
    assert [(one.then, one.now) for one in results if one.differs] == []
    assert [one.now.code for one in results if one.is_decided] == [
        one.then.code for one in results if one.is_decided
    ]


def test_nothing_is_written_and_no_platform_is_asked(mix, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a platform was asked")

    monkeypatch.setattr(requests.Session, "send", refuse)
    rows = {model: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    with CaptureQueriesContext(connection) as queries:
        run(mix.organization, bulk_limit=1, default_assessment="Backend")
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert {model: list(model._base_manager.order_by("pk").values()) for model in rows} == rows


def test_each_changed_rule_changes_what_it_should(mix):
    organization = mix.organization
    assert differing(run(organization, bulk_limit=0)) == {("held_for_approval", "invite"): 1}
    assert differing(run(organization, bulk_limit=2)) == {("invite", "held_for_approval"): 2}
    # one more is invited, so the last one comes after the limit
    assert differing(run(organization, default_assessment="Backend")) == {
        ("no_assessment", "invite"): 1,
        ("invite", "held_for_approval"): 1,
    }
    # Upas was sourced, so one more is invited before the limit
    assert differing(run(organization, origins={"sourced": "skip"})) == {
        ("invite", "origin_excluded"): 1,
        ("held_for_approval", "invite"): 1,
    }
    assert differing(run(organization, origins={"sourced": "hold"}))["invite", "held_for_approval"] == 1
    everybody = differing(run(organization, stage_prefix="Screening"))
    assert set(everybody) == {
        (code, "not_a_trigger_stage") for code in {*MIX.values(), "already_invited"} - {"anonymized"}
    }
    # Alder was read, since an invitation was under way; Birch wasn't
    assert differing(run(organization, stage_prefix="Phone"))["not_a_trigger_stage", Unknown.NOT_READ] == 1
    mapped = MappingIndex([MappingRule("Backend Engineer", "", "Frontend Developer")])
    backend_engineers = [one for one in run(organization, mappings=mapped) if one.differs]
    assert {one.now.assessment.name for one in backend_engineers} == {"Frontend Developer"}


def test_a_renamed_assessment_changes_nothing_for_what_named_it_then(mix):
    Assessment.objects.filter(name="Backend").update(name="Backend (2027)")
    assert not differing(run(mix.organization))


def test_a_delivery_that_is_decided_again_keeps_the_facts_of_its_verdict(scenario, super_admin):
    delivery = enter(scenario, "Hazel")
    assert delivery.verdict == "no_assessment"
    RoleMapping.objects.create(
        organization=scenario.organization, role="Site Reliability Engineer", assessment="Backend"
    )
    assert on_request.replay(delivery, super_admin).verdict == "invite"
    [one] = run(scenario.organization)
    assert (one.then.code, one.now.code) == ("invite", "invite")
    assert Verdict.objects.filter(delivery=delivery).count() == 2


def test_a_pause_differs_only_where_it_is_changed(scenario):
    enter(scenario, "Alder")
    scenario.set_policies(paused=True)
    scenario.organization.refresh_from_db()
    enter(scenario, "Oak")
    assert not differing(run(scenario.organization))
    assert differing(run(scenario.organization, paused=False)) == {("paused", Unknown.NOT_READ): 1}


def test_no_address_and_no_name_is_stored_with_a_verdict(mix):
    facts = " ".join(
        str(row) for row in Delivery.objects.filter(facts__isnull=False).values_list("facts", flat=True)
    )
    assert "@" not in facts
    assert SOME_ADDRESS not in facts
    assert not [word for word in MIX if word in facts]


def test_what_a_verdict_rests_on_is_erased_with_the_person(scenario):
    delivery = enter(scenario, "Alder")
    assert delivery.facts["names"] == ["Backend"]
    erase(scenario.organization, delivery.opportunity_id, ErasureCause.FORGOTTEN, "test")
    delivery.refresh_from_db()
    assert delivery.facts is None
    assert Delivery.objects.filter(facts__isnull=True, pk=delivery.pk).exists()
    [one] = run(scenario.organization, default_assessment="Backend")
    assert (one.then.code, one.now) == ("invite", Unknown.NO_FACTS)


@pytest.mark.parametrize("facts", [None, [], "x", {}, {"version": 99}, {"version": 1, "candidate": 7}])
def test_facts_that_cannot_be_read_are_never_guessed(organization, facts):
    factories.DeliveryFactory.create(
        organization=organization, verdict="invite", decided_at=timezone.now(), due_at=None, facts=facts
    )
    [one] = run(organization, stage_prefix="Test")
    assert (one.now, one.differs) == (Unknown.NO_FACTS, False)


NO_STAGE = {"version": 1, "stage": ["stage-1", "Phone screen"]}


def create_decided(organization, minutes_ago=5, verdict="not_a_trigger_stage", **columns):
    at = timezone.now() - timedelta(minutes=minutes_ago)
    decided = {"verdict": verdict, "decided_at": at, "due_at": None, "facts": NO_STAGE} | columns
    return factories.DeliveryFactory.create(organization=organization, **decided)


def test_only_the_organizations_own_decisions_about_stages_are_looked_at(organization):
    create_decided(organization)
    create_decided(factories.OrganizationFactory.create())
    create_decided(organization, platform="codescreen", verdict="noted")
    create_decided(organization, event="candidateDeleted", verdict="erased")
    create_decided(organization, minutes_ago=60 * 24 * 91)
    create_decided(organization, verdict="", decided_at=None)
    [one] = run(organization)
    assert one.now.code == "not_a_trigger_stage"


def test_it_is_read_in_the_order_of_deciding_and_few_at_a_time(organization, monkeypatch):
    monkeypatch.setattr(backtests, "READ_AT_ONCE", 2)
    for minutes in (3, 9, 6, 1, 7):
        create_decided(organization, minutes)
    times = [one.past.decided_at for one in run(organization)]
    assert times == sorted(times)
    assert len(times) == 5


def test_invitations_of_the_window_before_are_counted(organization, monkeypatch):
    before = create_decided(organization, 15, "invite")
    create_decided(organization, 8)
    rules = replace(rules_of(organization), bulk_window=10)
    monkeypatch.setattr(backtests, "decide_again", lambda past, rules, times: times)
    assert list(backtest(organization, rules, timezone.now() - timedelta(minutes=10))) == [before.decided_at]


def test_the_newest_are_chosen_by_when_they_were_decided(organization):
    rows = [create_decided(organization, minutes) for minutes in (4, 3, 2, 1)]
    assert len(run(organization, newest(organization, 2))) == 2
    assert run(organization, newest(organization, 2))[0].past.decided_at == rows[2].decided_at
    assert len(run(organization, newest(organization, 4))) == 4
    create_decided(organization, minutes_ago=60 * 24 * 91)
    assert len(run(organization, newest(organization, 100))) == 4


def test_a_date_of_long_ago_is_no_error(organization):
    create_decided(organization)
    assert len(run(organization, datetime(1, 1, 1, tzinfo=UTC))) == 1


def test_a_tried_change_counts_in_the_place_of_the_mapping_that_it_changes(scenario):
    role = stable_id("acme", "posting", "Backend Engineer")
    for name in ("Backend Engineer", role):
        RoleMapping.objects.create(organization=scenario.organization, role=name, assessment="Backend")
    assert enter(scenario, "Alder").verdict == "invite"
    first, second = RoleMapping.objects.order_by("role")
    long_ago = timezone.now() - timedelta(days=90)
    for mapping, expected in ((first, "held_for_approval"), (second, "invite")):
        mapping.approval = "always"
        [one] = backtests.backtest_of_mapping(scenario.organization, mapping, long_ago)
        assert getattr(one.now, "code", one.now) == expected
