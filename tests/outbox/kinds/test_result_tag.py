"""Add the customer's own tag for a result, and remove it when the result changes."""

from integrations.outbox.models.effect import Effect


def test_a_regrade_replaces_the_result_tag(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    scenario.sent_invitation()
    scenario.evaluate(score=50, result="Failed")
    assert "test failed" in sandbox.candidate("Alder").tags
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert "test passed" in sandbox.candidate("Alder").tags
    assert "test failed" not in sandbox.candidate("Alder").tags


def test_a_result_tag_that_failed_and_is_retried_late_says_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    scenario.sent_invitation()
    scenario.evaluate(score=50, result="Failed")
    scenario.candidate_does("regrade", score=80, result="Passed")
    Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
    scenario.work_waiting()
    assert "test failed" not in sandbox.candidate("Alder").tags
