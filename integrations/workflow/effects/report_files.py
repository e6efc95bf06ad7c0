"""The portal's report files in Lever: finding them, deleting them, and what Lever's refusals mean."""

from collections.abc import Iterable, Mapping

from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverFile
from integrations.lever.oauth import FILES_SCOPE
from integrations.models import Invitation, Result
from integrations.workflow.results.report_words import is_report_of

NO_AUTHOR = "Lever lists no user who could be the author of the file."
NO_PERMISSION = (
    f"Lever doesn't let the portal handle files. Let {FILES_SCOPE} be added to the app that is registered with Lever, "
    "connect Lever again under Settings, then retry."
)
TOO_LARGE = "Lever refused the report as too large for its account. Ask Lever for its limit, then retry."
#: Lever's code for an upload that took too long.
_SLOW = "RequestTimeout"


def files_in_lever(lever: LeverClient, invitation: Invitation) -> list[LeverFile]:
    """Return the reports that the candidate has in Lever for this invitation. Raises PlatformError."""
    files = lever.files(invitation.opportunity_id)
    return [file for file in files if is_report_of(invitation, file.name)]


def stored_file_ids(invitation: Invitation) -> list[str]:
    """Return the ids of the reports that are known to have been attached for this invitation."""
    return list(invitation.results.exclude(file_id="").values_list("file_id", flat=True))


def forget_files(invitation: Invitation, but: str = "") -> None:
    """Forget the stored ids, except one."""
    Result.objects.filter(invitation=invitation).exclude(file_id=but).update(file_id="")


def delete_files(lever: LeverClient, invitation: Invitation, ids: Iterable[str], author: str) -> int:
    """Delete these files; return how many Lever still had. Raises PlatformError."""
    deleted = 0
    for file_id in dict.fromkeys(ids):
        try:
            lever.delete_file(invitation.opportunity_id, file_id, author)
            deleted += 1
        except PlatformError as error:
            if error.status != 404:
                raise
    return deleted


def explained(error: PlatformError) -> PlatformError:
    """Return the error of a call about files with what it means and its cure, the same error where that says enough."""
    code = error.body.get("code") if isinstance(error.body, Mapping) else None
    if code == _SLOW:
        return PlatformError(str(error), ambiguous=True, status=408, body=error.body)
    sentence = {403: NO_PERMISSION, 413: TOO_LARGE}.get(error.status or 0)
    if sentence is None:
        return error
    return PlatformError(sentence, permanent=True, status=error.status, body=error.body)
