"""Candidates that enter a stage in Lever, and the deliveries of it."""

import pytest

from integrations.lever.acts import connect_lever
from integrations.lever.models.connection import LeverAccess
from integrations.lever.oauth import SCOPES

STAGE = "CodeScreen Assessment"


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
