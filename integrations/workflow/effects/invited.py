"""Record that CodeScreen has invited a person."""

import logging
import random
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from integrations.models import Effect, Invitation, db_clock
from integrations.models.invitation_status import Status
from integrations.models.prepared_update import change_rows
from integrations.workflow.effects.kinds.tags import enqueue_progress_tag
from integrations.workflow.rules.tags import choose_progress_tag

logger = logging.getLogger(__name__)


def mark_invited(invitation: Invitation, instance_id: str) -> None:
    """Record the instance that CodeScreen made for the person, and enqueue the progress tag.

    Nothing is changed when an instance is recorded already: the webhook and the answer to the call tell of the same.
    Of somebody whose data was erased meanwhile only the instance is recorded.
    """
    with transaction.atomic(savepoint=False):
        invitation.lock()
        if invitation.instance_id:
            return
        if invitation.erased_at is not None:
            Invitation.objects.filter(pk=invitation.pk).update(instance_id=instance_id, invited_at=Now())
            return
        now = db_clock.now()
        first_poll = now + timedelta(seconds=settings.POLL_NOT_STARTED_SECONDS) * random.uniform(0.2, 1.0)  # noqa: S311
        invitation.move(
            Status.INVITED, instance_id=instance_id, invited_at=now, next_poll_at=first_poll, poll_failures=0
        )
        uncertain = {
            "invitation": invitation.pk,
            "kind": Effect.Kind.SEND_INVITATION,
            "state": Effect.State.UNCERTAIN,
        }
        change_rows(Effect, uncertain, {"state": Effect.State.DONE, "done_at": Now(), "last_error": ""})
        enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
        transaction.on_commit(partial(logger.info, "invitation %s: sent", invitation.pk))
