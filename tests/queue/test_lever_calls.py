"""How many calls to Lever one candidate costs, and which: more of them make a bulk move slower."""

import time
import uuid

import pytest

from integrations.catalog import lists
from integrations.clients.models import ApiCall
from integrations.clients.provider import ClientProvider
from integrations.inbox.models.delivery import Delivery
from tests.support import factories
from tests.support.payloads import load

READ = ("GET", "opportunity")
ADD, REMOVE = ("POST", "addTags"), ("POST", "removeTags")
FEEDBACK, LINK = ("POST", "feedback"), ("POST", "addLinks")


@pytest.fixture(autouse=True)
def _catalog(scenario):
    """The copies of Lever's lists, which no candidate pays for."""
    lists.refresh_stages(scenario.organization, ClientProvider(scenario.organization).lever())
    lists.refresh_roles(scenario.organization, ClientProvider(scenario.organization).lever())


def enter_stage(scenario, word="Alder"):
    """Move a candidate into the stage, store the webhook, and work until the invitation is sent."""
    opportunity_id = scenario.sandbox.opportunity_id(word)
    scenario.sandbox.lever_does("move", opportunities=[opportunity_id], stage="CodeScreen Assessment")
    data = {"opportunityId": opportunity_id, "toStageId": scenario.sandbox.stage_id("CodeScreen Assessment")}
    factories.DeliveryFactory.create(
        organization=scenario.organization,
        opportunity_id=opportunity_id,
        payload=load(
            "lever/candidate_stage_change",
            id=str(uuid.uuid4()),
            triggeredAt=int(time.time() * 1000),
            data=data,
        ),
    )
    scenario.work()
    assert Delivery.objects.latest("pk").verdict == "invite"


def calls_about(scenario, word="Alder"):
    """Return the calls to Lever about a candidate, in order."""
    opportunity_id = scenario.sandbox.opportunity_id(word)
    calls = ApiCall.objects.filter(platform="lever", opportunity_id=opportunity_id).order_by("at", "pk")
    return [
        (call.method, call.path.removesuffix(opportunity_id).rsplit("/", 1)[1] or "opportunity")
        for call in calls
    ]


def test_a_candidate_costs_six_calls_from_the_stage_change_to_the_feedback(scenario):
    enter_stage(scenario)
    assert calls_about(scenario) == [READ, ADD]
    scenario.candidate_does("start", "submit", "evaluate", score=82, result="Passed")
    assert sorted(calls_about(scenario)[2:]) == sorted([ADD, REMOVE, FEEDBACK, LINK])


def test_a_result_tag_of_the_customer_costs_one_more_call(scenario):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    enter_stage(scenario)
    scenario.candidate_does("start", "submit", "evaluate", score=82, result="Passed")
    assert sorted(calls_about(scenario)[2:]) == sorted([ADD, ADD, REMOVE, FEEDBACK, LINK])


def test_a_candidate_costs_two_more_calls_when_progress_is_seen_between(scenario):
    enter_stage(scenario)
    scenario.candidate_does("start")
    assert calls_about(scenario)[2:] == [ADD, REMOVE]
    scenario.candidate_does("submit")
    scenario.candidate_does("evaluate", score=82, result="Passed")
    assert sorted(calls_about(scenario)[4:]) == sorted([ADD, REMOVE, FEEDBACK, LINK])
