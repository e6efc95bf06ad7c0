"""Add the customer's own tag for a result, and remove it when the result changes."""

from integrations.outbox.models.effect import Effect


def complete_assessment(scenario, **verdict):
    """Let a candidate be invited and evaluated, and the effects be performed."""
    scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)


def tags_in_lever(sandbox) -> list[str]:
    """Return the candidate's tags in Lever."""
    return list(sandbox.opportunity("Alder")["tags"])


def test_a_regrade_replaces_the_result_tag(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    assert "test failed" in tags_in_lever(sandbox)
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert "test passed" in tags_in_lever(sandbox)
    assert "test failed" not in tags_in_lever(sandbox)


def test_a_result_tag_that_failed_and_is_retried_late_says_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    complete_assessment(scenario, score=50, result="Failed")
    scenario.candidate_does("regrade", score=80, result="Passed")
    Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
    scenario.work_waiting()
    assert "test failed" not in tags_in_lever(sandbox)
