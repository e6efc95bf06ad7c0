"""Candidates of a bulk move are read from Lever's list, each after the webhook that told of them."""

import time
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.inbox import stage_lists
from integrations.inbox.models.delivery import Delivery
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from portal.devtools.processes import run_in_threads
from tests.support import factories
from tests.support.calls import count_calls
from tests.support.scenario import verdict

NOW = timezone.now()
WORDS = ["Alder", "Birch", "Cedar", "Dogwood"]


@pytest.fixture(autouse=True)
def _few_are_many(scenario, sandbox, monkeypatch):
    """Three waiting candidates are enough for the list; the copies of the other lists are young."""
    monkeypatch.setattr(stage_lists, "FEWEST_CANDIDATES", 3)
    sandbox.lever_does("settings", webhooks_enabled=False)
    for role in ("Backend Engineer", "Frontend Engineer"):
        scenario.organization.role_mappings.create(role=role, assessment="Backend")
    scenario.read_lists()
    ApiCall.objects.all().delete()


def reads():
    """Return how often Lever's list was read, and how often single candidates were."""
    read = {"platform": "lever", "method": "GET"}
    lists = count_calls(path="/opportunities", **read)
    return lists, count_calls(path__startswith="/opportunities/", **read)


@pytest.mark.parametrize(("words", "expected"), [(WORDS, (1, 0)), (WORDS[:2], (0, 2))])
def test_candidates_moved_together_are_read_by_one_call_and_few_one_by_one(
    scenario, sandbox, words, expected
):
    deliveries = [scenario.move(word) for word in words]
    scenario.work()
    assert reads() == expected
    for call in ApiCall.objects.filter(
        path="/opportunities"
    ):  # a list of others isn't shown with one of them
        assert (call.opportunity_id, call.delivery) == ("", None)
    assert {verdict(delivery) for delivery in deliveries} == {"invite"}
    assert sandbox.invitations_sent() == len(words)


def test_a_candidate_the_list_does_not_show_is_read_alone(scenario, sandbox):
    deliveries = [scenario.move(word) for word in WORDS[:3]]
    gone = scenario.deliver("Elm")  # in another stage
    scenario.work()
    assert reads() == (1, 1)
    assert [verdict(delivery) for delivery in deliveries] == ["invite"] * 3
    assert verdict(gone) == "left_stage"
    assert sandbox.invitations_sent("elm@candidates.example") == 0


def test_a_candidate_changed_long_after_the_webhooks_is_read_alone(scenario, sandbox):
    deliveries = [scenario.move(word) for word in WORDS]
    sandbox.candidate("Birch").updated_at += 10 * 60 * 1000
    scenario.work()
    assert reads() == (1, 1)
    assert {verdict(delivery) for delivery in deliveries} == {"invite"}


def test_a_delivery_that_came_after_the_reading_is_not_decided_by_it(scenario, sandbox):
    for word in WORDS:
        scenario.move(word)
    first = factories.claimed(Delivery, "first")
    assert stage_lists.readings.take(first) is not None
    again = Delivery.objects.get(opportunity_id=sandbox.opportunity_id("Birch"))
    again.due_at = timezone.now() + timedelta(seconds=1)  # due again since
    assert stage_lists.readings.take(again) is None
    scenario.move("Alder", "Phone screen")
    later = scenario.move("Alder")
    assert stage_lists.readings.take(later) is None
    scenario.work()
    assert reads() == (1, 1)
    assert sandbox.invitations_sent("alder@candidates.example") == 1


def test_candidates_are_read_one_by_one_when_the_list_fails(scenario, sandbox):
    for word in WORDS:
        scenario.move(word)
    scenario.lever_fails("/opportunities$", method="GET", status=500)
    scenario.work()
    assert reads() == (1, len(WORDS))
    assert sandbox.invitations_sent() == len(WORDS)


@pytest.mark.parametrize(("limit", "value"), [("PAGE_SIZE", 1), ("LONGEST_READING_SECONDS", -1.0)])
def test_no_more_is_read_than_saves_calls_and_is_young_enough(scenario, sandbox, monkeypatch, limit, value):
    deliveries = [scenario.move(word) for word in WORDS]
    monkeypatch.setattr(stage_lists, limit, value)
    taken = [stage_lists.readings.take(delivery) for delivery in deliveries]
    assert sum(found is not None for found in taken) == 1
    scenario.work()
    assert sandbox.invitations_sent() == len(WORDS)


def test_one_thread_reads_the_list_while_the_others_wait_for_it(monkeypatch):
    rows = [Delivery(organization=Organization(pk=1), due_at=NOW, payload=_entering(word)) for word in WORDS]
    read: list[str] = []
    taken: list[tuple[Opportunity, datetime] | None] = []

    def read_slowly(_organization, stage_id, _former):
        time.sleep(0.1)
        read.append(stage_id)
        found = dict.fromkeys(WORDS, Opportunity.from_api({}))
        return stage_lists.ListReading(NOW, NOW, opportunities=found)

    monkeypatch.setattr(stage_lists, "_read_list", read_slowly)
    run_in_threads([partial(_take, row, taken) for row in rows])
    assert read == ["stage"]
    assert [found and found[1] for found in taken] == [NOW] * len(WORDS)


def test_an_old_reading_is_forgotten_with_the_candidates_it_showed(scenario, monkeypatch):
    deliveries = [scenario.move(word) for word in WORDS]
    stage_lists.readings.take(deliveries[0])
    assert stage_lists.readings._latest
    monkeypatch.setattr(stage_lists, "YOUNG_SECONDS", 0.0)
    other = Delivery(organization=Organization(pk=9**9), due_at=NOW, payload=_entering("x", "another stage"))
    assert stage_lists.readings.take(other) is None
    assert not stage_lists.readings._latest
    before = reads()
    assert stage_lists.readings.take(deliveries[1]) is not None
    assert reads() == (before[0] + 1, before[1])


def _take(delivery, taken):
    taken.append(stage_lists.readings.take(delivery))


def _entering(word, stage="stage"):
    return {"data": {"opportunityId": word, "toStageId": stage}}
