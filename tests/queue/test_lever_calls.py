"""How many calls to Lever one candidate costs, and which: more of them make a bulk move slower."""

import pytest

from integrations.clients.models import ApiCall

READ = ("GET", "opportunity")
ADD, REMOVE = ("POST", "addTags"), ("POST", "removeTags")
FEEDBACK, LINK = ("POST", "feedback"), ("POST", "addLinks")


@pytest.fixture(autouse=True)
def _catalog(scenario):
    """The copies of Lever's lists, which no candidate pays for."""
    scenario.read_lists()


def calls_about(scenario, word="Alder"):
    """Return the calls to Lever about a candidate, in order."""
    opportunity_id = scenario.sandbox.opportunity_id(word)
    calls = ApiCall.objects.filter(platform="lever", opportunity_id=opportunity_id).order_by("at", "pk")
    return [
        (call.method, call.path.removesuffix(opportunity_id).rsplit("/", 1)[1] or "opportunity")
        for call in calls
    ]


def test_a_candidate_costs_six_calls_from_the_stage_change_to_the_feedback(scenario):
    assert scenario.enter().verdict == "invite"
    assert calls_about(scenario) == [READ, ADD]
    scenario.evaluate(score=82, result="Passed")
    assert sorted(calls_about(scenario)[2:]) == sorted([ADD, REMOVE, FEEDBACK, LINK])
