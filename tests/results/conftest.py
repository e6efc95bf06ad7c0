"""An invitation that was sent, and a CodeScreen whose answers the test states."""

import pytest
from django.utils import timezone

from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.support import factories

URL = "https://codescreen.example/api"
INSTANCE = "instance-1"
#: The key of the tag that was set when it was sent.
WHEN_SENT = "when sent"
COMPLETE = {
    "status": "Complete",
    "score": 75,
    "result_url": "https://codescreen.example/report/1",
    "metadata": {"result": "Passed", "attempt": 1},
}


@pytest.fixture
def codescreen_api(settings, wire):
    """CodeScreen's API, faked at HTTP."""
    settings.CODESCREEN_API_URL = URL
    return wire


@pytest.fixture
def invitation(organization):
    """An invitation that CodeScreen has sent as INSTANCE."""
    factories.CodeScreenConnectionFactory(organization=organization)
    sent = factories.InvitationFactory(
        organization=organization, status="invited", instance_id=INSTANCE, invited_at=timezone.now()
    )
    factories.EffectFactory(
        organization=organization,
        invitation=sent,
        kind=Effect.Kind.SET_PROGRESS_TAG,
        key=WHEN_SENT,
        about="progress_tag",
        version=f"{sent.pk}:{ProgressTag.INVITED}",
        payload={"tag": ProgressTag.INVITED},
        state="done",
        due_at=None,
    )
    return sent


@pytest.fixture
def poll_answer(codescreen_api, invitation):
    """Return what polls a given answer and returns the invitation as it is then."""

    def poll_once(answer, **more):
        codescreen_api.reset()
        codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json=answer, **more)
        worker.poll_invitation(Invitation.objects.select_related("organization").get(pk=invitation.pk))
        return Invitation.objects.get(pk=invitation.pk)

    return poll_once


def progress_tags():
    """Return the progress tags that were enqueued since the sending, in order."""
    rows = Effect.objects.filter(kind="set_progress_tag").exclude(key=WHEN_SENT).order_by("pk")
    return [row.payload["tag"] for row in rows]
