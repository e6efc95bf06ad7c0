"""What each step costs: few transactions that write, few statements, none twice, and few calls to Lever."""

import pytest

from integrations.clients import lever_tokens
from integrations.clients import models as client_models
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.store import database
from tests.support import factories
from tests.support.statements import noted


@pytest.fixture
def warm(scenario, sandbox, monkeypatch):
    """A scenario in which the platforms' lists were read and one candidate has been invited already.

    Nothing that was read is too old for the next step, however slow the machine is.
    """
    for module, name in (
        (worker, "READ_AGAIN_SECONDS"),
        (lever_tokens, "READ_AGAIN_AFTER_SECONDS"),
        (client_models, "REMEMBERED_SECONDS"),
        (database, "QUERY_AGAIN_SECONDS"),
        (database, "PROMPT_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 3600.0)
    Organization.objects.update(default_assessment="Backend")
    scenario.read_lists()
    scenario.move("Alder")
    scenario.work()
    assert Effect.objects.filter(kind="set_progress_tag", state="done").exists()
    return scenario


@pytest.mark.django_db(transaction=True)
def test_an_invitation_takes_at_most_twelve_commits(warm, monkeypatch):
    delivery = warm.move("Hazel")
    with noted(monkeypatch) as statements:
        worker.work()
    delivery.refresh_from_db()
    assert delivery.verdict == "invite"
    assert Effect.objects.filter(invitation=delivery.invitation, state="done").count() == 2
    written = [[text[:40] for text in texts] for texts in statements.commits]
    assert len(written) + 1 <= 12, written  # and the one that stored the webhook


@pytest.mark.django_db(transaction=True)
def test_each_step_asks_the_database_a_bounded_number_of_times(warm, monkeypatch):
    warm.move("Hazel")
    asked = []
    with noted(monkeypatch) as statements:
        worker.decide(factories.claimed(Delivery, "worker"))
    asked.append(("decide", len(statements.texts)))
    for number in range(2):
        effect = factories.claimed(Effect, f"worker {number}")
        with noted(monkeypatch) as statements:
            worker.perform_effect(effect)
        asked.append((effect.kind, len(statements.texts)))
    bounds = {"decide": 23, "send_invitation": 13, "set_progress_tag": 5}
    assert [kind for kind, _ in asked] == list(bounds)
    assert [count for kind, count in asked if count > bounds[kind]] == [], asked


# how many calls to Lever one candidate costs: more of them make a bulk move slower


READ = ("GET", "opportunity")
ADD, REMOVE = ("POST", "addTags"), ("POST", "removeTags")
FEEDBACK, LINK = ("POST", "feedback"), ("POST", "addLinks")


def calls_about(scenario, word="Alder"):
    """Return the calls to Lever about a candidate, in order."""
    opportunity_id = scenario.sandbox.opportunity_id(word)
    calls = ApiCall.objects.filter(platform="lever", opportunity_id=opportunity_id).order_by("at", "pk")
    return [
        (call.method, call.path.removesuffix(opportunity_id).rsplit("/", 1)[1] or "opportunity")
        for call in calls
    ]


def test_a_candidate_costs_six_calls_from_the_stage_change_to_the_feedback(scenario):
    scenario.read_lists()  # which no candidate pays for
    assert scenario.enter().verdict == "invite"
    assert calls_about(scenario) == [READ, ADD]
    scenario.evaluate(score=82, result="Passed")
    assert sorted(calls_about(scenario)[2:]) == sorted([ADD, REMOVE, FEEDBACK, LINK])
