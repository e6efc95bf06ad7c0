"""Why a candidate is offered instead of invited: the portal can't know whether they have an invitation already."""

from collections.abc import Mapping
from enum import StrEnum


class EnteredBefore(StrEnum):
    """What the portal doesn't know of a candidate; the code is stored with the facts of a verdict."""

    CONNECTING = "connecting"
    RESTORE = "restore"
    UNKNOWN_TIME = "unknown_time"
    PROGRESS_TAG = "progress_tag"

    def explain(self, stage_name: str) -> str:
        """Return it as a sentence that a recruiter can act on."""
        return _SENTENCES[self].format(stage=stage_name)


_SENTENCES: Mapping[str, str] = {
    EnteredBefore.CONNECTING: (
        "The candidate was in “{stage}” before Lever was connected, and may be invited already."
    ),
    EnteredBefore.RESTORE: (
        "The candidate was in “{stage}” before the portal was restored from a backup. What it did after the backup is "
        "lost, so they may be invited already."
    ),
    EnteredBefore.UNKNOWN_TIME: (
        "Lever doesn't say when the candidate came into “{stage}”. That may have been before the portal's records "
        "begin, so they may be invited already."
    ),
    EnteredBefore.PROGRESS_TAG: (
        "The candidate has a progress tag (“CodeScreen: …”) in Lever, but no invitation here explains it, so they may "
        "be invited already."
    ),
}
