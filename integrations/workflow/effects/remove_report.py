"""Remove the portal's report from the candidate in Lever: the person was erased, or it is of a former result."""

from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.models import Effect
from integrations.workflow.effects.author import choose_author
from integrations.workflow.effects.report_files import (
    NO_AUTHOR,
    delete_files,
    explained,
    files_in_lever,
    forget_files,
    stored_file_ids,
)
from integrations.workflow.outbox.outcome import Cancelled, Done, Failed, Retry
from integrations.workflow.outbox.retry_policy import LONGEST_RETRY

REPLACED = "The rules ask for the report as a file again: a later one replaces it."
WAITS = "A later report is about to be attached, and to replace this one."
NOTHING_LEFT = "Lever had no report of the portal's about the candidate any more."


def remove_report(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | Retry:
    """Delete every report that was attached for the invitation. Safe to run twice.

    That Lever no longer has the candidate is no error. It waits while a later report is to be attached, and is
    cancelled once that one has replaced what was to be removed.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a removal without an invitation")
    if invitation.erased_at is None:
        last = invitation.effects.filter(kind=Effect.Kind.ATTACH_REPORT).order_by("-pk").first()
        if last is not None and last.state == Effect.State.DUE:
            return Retry(WAITS, LONGEST_RETRY, is_counted=False, restarts_window=True)
        if last is not None and last.state not in {Effect.State.CANCELLED, Effect.State.FAILED}:
            return Cancelled(REPLACED)
    lever = clients.lever()
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    forget = partial(forget_files, invitation)
    try:
        present = [file.id for file in files_in_lever(lever, invitation)]
        deleted = delete_files(lever, invitation, [*present, *stored_file_ids(invitation)], author)
    except PlatformError as error:
        if error.status == 404:
            return Done(NOTHING_LEFT, record=forget)
        raise explained(error) from error
    return Done("" if deleted else NOTHING_LEFT, record=forget)
