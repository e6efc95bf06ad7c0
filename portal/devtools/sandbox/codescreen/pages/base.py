"""What every page of the pretend CodeScreen shares."""

from typing import ClassVar

from portal.devtools.sandbox.account_pages import AccountPages
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance, Phase
from portal.devtools.sandbox.times import readable

PHASE_LABELS = {
    Phase.NOT_STARTED: "Not started",
    Phase.IN_PROGRESS: "In progress",
    Phase.SUBMITTED: "Submitted",
    Phase.COMPLETE: "Complete",
}
RESULT_TONES = {"Passed": "good", "Failed": "bad", "Expired": "bad"}


class CodeScreenPages(AccountPages[CodeScreenAccount]):
    """A group of the pretend CodeScreen's pages."""

    folder: ClassVar[str] = "codescreen"

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform


def instance_row(instance: Instance) -> dict[str, object]:
    """Return what the pages show of a candidate."""
    return {
        "id": instance.id,
        "name": instance.name,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "status": PHASE_LABELS[instance.phase],
        "score": "" if instance.score is None else str(instance.score),
        "result": instance.result or "",
        "reason": instance.reason or "",
        "tone": RESULT_TONES.get(instance.result or "", ""),
        "bounced": instance.bounced,
        "sent": readable(instance.sent_at),
        "attempt": instance.attempt,
    }
