"""Remove the portal's report from the candidate in Lever, because the person was erased."""

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
from integrations.workflow.outbox.outcome import Done, Failed

NOTHING_LEFT = "Lever had no report of the portal's about the candidate any more."


def remove_report(effect: Effect, clients: ClientProvider) -> Done | Failed:
    """Delete every report that was attached for the invitation. Safe to run twice.

    That Lever no longer has the candidate is no error.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a removal without an invitation")
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
