"""What invited candidates do in CodeScreen: start, submit, be evaluated."""

import threading

from portal.devtools.chaos.tenants import ASSESSMENT
from portal.devtools.chaos.workload import Candidate, Workload
from portal.devtools.sandbox_client import SandboxClient


class CandidateActions(threading.Thread):
    """Lets invited candidates start, submit and be evaluated while the faults go on."""

    def __init__(self, codescreen: SandboxClient, workload: Workload) -> None:
        super().__init__(name="candidate actions", daemon=True)
        self.acted: set[str] = set()  # the e-mail addresses of those who made a visit
        self._codescreen = codescreen
        self._waiting = [candidate for candidate in workload.candidates if candidate.visits]
        self._stopping = threading.Event()

    def run(self) -> None:
        """Try everybody's next visit again and again until stopped."""
        while not self._stopping.wait(1.0):
            self.make_visits(pause=0.02)

    def stop(self) -> None:
        """End the thread; `make_visits()` can still be called."""
        self._stopping.set()
        self.join(timeout=30)

    def make_visits(self, pause: float = 0.0) -> int:
        """Make the next visit of everybody who has been invited; return how many visits were made."""
        count = 0
        for candidate in list(self._waiting):
            if pause and self._stopping.wait(pause):
                break
            if self._make_visit(candidate):
                count += 1
                if not candidate.visits:
                    self._waiting.remove(candidate)
        return count

    def _make_visit(self, candidate: Candidate) -> bool:
        response = self._codescreen.try_to_act(
            "candidate",
            account=candidate.organization,
            email=candidate.email,
            assessment=ASSESSMENT,
            action=list(candidate.visits[0]),
            score=candidate.score,
            result="Passed" if candidate.score > 50 else None,
        )
        if not response.ok:  # not invited yet
            return False
        candidate.visits.pop(0)
        self.acted.add(candidate.email)
        return True
