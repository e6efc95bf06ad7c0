"""Candidates with feedback, notes and invitations, as the sandbox's Lever and CodeScreen have them."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from integrations.catalog import feedback_template
from integrations.clients.models import ApiCall
from portal.devtools.sandbox.lever.records import build_fields
from tests.support import factories
from tests.support.effects import enqueue_note

#: The fault after which a platform has made the write, but its answer is lost.
LOST = "reset_after"


def feedback_forms(sandbox, word="Alder"):
    """Return the feedback a candidate has in Lever."""
    return sandbox.opportunity(word)["feedback"]


def portal_templates(sandbox):
    """Return the portal's templates in Lever."""
    return [
        item for item in sandbox.account.templates.values() if item.text == feedback_template.TEMPLATE_NAME
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


def edit_template(sandbox, *removed):
    """Edit the portal's template in Lever: its fields get new ids, without those of these texts."""
    [template] = portal_templates(sandbox)
    template.fields = build_fields([field for field in template.fields if field["text"] not in removed])


def notes_on(sandbox, word="Alder"):
    """Return what a candidate's notes in Lever say before the line that leads to the candidate's page."""
    texts = sandbox.opportunity(word)["note_texts"]
    assert all(text.endswith(f"/activity/{sandbox.opportunity_id(word)}/") for text in texts)
    return [text.partition("\n")[0] for text in texts]


@pytest.fixture
def notes(sandbox):
    """Return what reads the notes that a candidate has in Lever."""
    return partial(notes_on, sandbox)


@pytest.fixture
def move_candidate(scenario):
    """Return what moves a candidate in Lever, with the webhook about it; the stages' names are known."""
    scenario.read_lists()
    return scenario.move


@pytest.fixture
def held(scenario, move_candidate):
    """The invitation of Alder, which is on hold."""
    return scenario.held_invitation()


@pytest.fixture
def old_invitation(scenario):
    """An invitation that was decided five minutes ago, of a candidate in the stage."""
    return scenario.pending_invitation(checked_at=timezone.now() - timedelta(minutes=5))
