"""Candidates that enter a stage in Lever, and the deliveries of it."""

import pytest

from tests import factories

STAGE = "CodeScreen Assessment"


@pytest.fixture
def move_candidate(deliver_stage_change, sandbox):
    """Return what moves a candidate in Lever and stores the delivery."""

    def move(word="Alder", stage=STAGE, **changes):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
        return deliver_stage_change(word, stage, **changes)

    return move


@pytest.fixture
def deliver_stage_change(scenario, sandbox):
    """Return what stores a delivery of a stage change."""

    def deliver(word="Alder", stage=STAGE, **changes):
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(stage)}
        return factories.DeliveryFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={"event": "candidateStageChange", "data": data},
            **changes,
        )

    return deliver


def verdict(delivery):
    """Return the verdict of a delivery, read again."""
    delivery.refresh_from_db()
    return delivery.verdict
