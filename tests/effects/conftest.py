"""Candidates with feedback, notes and invitations, as the sandbox's Lever and CodeScreen have them."""

import pytest

from integrations.catalog import feedback_template
from integrations.clients.models import ApiCall
from integrations.effects.kinds.messages import enqueue_note
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import scopes_of
from tests.support import factories

#: The faults after which Lever has made the write, but its answer is lost.
LOST = ["status_after", "reset_after", "truncated"]


def feedback_forms(sandbox, word="Alder"):
    """Return the feedback a candidate has in Lever."""
    return sandbox.opportunity(word)["feedback"]


def lever_account(sandbox):
    """Return the account's state in the sandbox, for changes that no endpoint makes."""
    return sandbox.lever.accounts["acme"]


def may_attach(scenario):
    """Let Lever's grant cover files too."""
    account = lever_account(scenario.sandbox)
    grants = scenario.sandbox.lever.grants
    scopes = frozenset(scopes_of(attaches_files=True))
    tokens = grants.issue(grants.grant(account, account.users[account.actor()], scopes), account)
    connection = LeverConnection.objects.get(organization=scenario.organization)
    connection.rotate(tokens)


def evaluate(scenario, **verdict):
    """Let the candidate submit, CodeScreen evaluate, and the effects be performed."""
    scenario.candidate_does("start", "submit", "evaluate", **verdict)


def portal_templates(sandbox):
    """Return the portal's templates in Lever."""
    return [
        item
        for item in lever_account(sandbox).templates.values()
        if item.text == feedback_template.TEMPLATE_NAME
    ]


@pytest.fixture
def invitation(scenario):
    """An invitation that nothing was enqueued for."""
    return factories.InvitationFactory(
        organization=scenario.organization, opportunity_id=scenario.sandbox.opportunity_id("Alder")
    )


def enqueue_note_on_candidate(scenario, text="CodeScreen: nothing was sent."):
    """Enqueue a note on a seeded candidate."""
    enqueue_note(scenario.organization, scenario.sandbox.opportunity_id("Alder"), "no_email", text)


def sending_calls():
    """Return how many calls that send an invitation were made, answered or not."""
    return ApiCall.objects.filter(platform="codescreen", method="POST").count()
