"""Candidates that enter a stage in Lever, and the deliveries of it."""

import pytest

from integrations.lever.acts import connect_lever
from integrations.lever.models.connection import LeverAccess
from integrations.lever.oauth import SCOPES
from tests.support import factories

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


@pytest.fixture
def move_without_webhook(scenario, sandbox):
    """Return a function that moves a candidate; Lever sends no webhook about it."""
    sandbox.lever_does("settings", webhooks_enabled=False)

    def move(word="Alder", stage=STAGE):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)

    return move


@pytest.fixture
def connect_to_account(scenario, sandbox, super_admin):
    """Return a function that lets a person consent for a Lever account of the sandbox."""

    def connect(slug):
        account = sandbox.lever.accounts[slug]
        grants = sandbox.lever.grants
        grant = grants.grant(account, account.users[account.actor()], frozenset(SCOPES))
        tokens = grants.issue(grant, account)
        connect_lever(scenario.organization, LeverAccess(tokens, account.id, account.actor()), super_admin)
        scenario.organization.refresh_from_db()

    return connect


def verdict(delivery):
    """Return the verdict of a delivery, read again."""
    delivery.refresh_from_db()
    return delivery.verdict
