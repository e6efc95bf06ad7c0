"""Add the customer's own tag for a result, and remove it when the result changes."""

from integrations.outbox.models.effect import Effect


def test_a_regrade_replaces_the_result_tag_and_a_late_retry_of_the_former_sets_what_counts(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    scenario.sent_invitation()
    scenario.evaluate(score=50, result="Failed")
    assert "test failed" in sandbox.candidate("Alder").tags
    scenario.candidate_does("regrade", score=80, result="Passed")
    for _ in range(2):
        assert "test passed" in sandbox.candidate("Alder").tags
        assert "test failed" not in sandbox.candidate("Alder").tags
        Effect.objects.filter(kind="set_result_tag", payload__tag="test failed").update(state="due")
        scenario.work_waiting()
