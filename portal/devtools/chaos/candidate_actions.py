"""What invited candidates do in CodeScreen: start, submit, be evaluated."""

import threading

import requests

from portal.devtools.chaos.tenants import ASSESSMENT
from portal.devtools.chaos.workload import Candidate, Crowd
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import SECONDS


class Visits(threading.Thread):
    """Let invited candidates start, submit and be evaluated while everything goes on."""

    def __init__(self, stage: Stage, crowd: Crowd) -> None:
        super().__init__(name="visits", daemon=True)
        self._address = stage.codescreen_url
        self._waiting = [candidate for candidate in crowd.candidates if candidate.visits]
        self.acted: set[str] = set()  # who has made a visit, by e-mail address
        self._stopping = threading.Event()
        self._session = requests.Session()

    def run(self) -> None:
        """Try everybody's next visit over and over until stopped."""
        while not self._stopping.wait(1.0):
            self.go_round(pause=0.02)

    def stop(self) -> None:
        """Let nobody act any more, apart from whom `go_round()` is called for."""
        self._stopping.set()
        self.join(timeout=30)

    def go_round(self, pause: float = 0.0) -> int:
        """Let everybody make their next visit who has been invited; how many could."""
        count = 0
        for candidate in list(self._waiting):
            if pause and self._stopping.wait(pause):
                break
            if self._act(candidate):
                count += 1
                if not candidate.visits:
                    self._waiting.remove(candidate)
        return count

    def _act(self, candidate: Candidate) -> bool:
        visit = {
            "account": candidate.organization,
            "email": candidate.email,
            "assessment": ASSESSMENT,
            "action": list(candidate.visits[0]),
            "score": candidate.score,
            "result": "Passed" if candidate.score > 50 else None,
        }
        answer = self._session.post(f"{self._address}/_control/candidate", json=visit, timeout=SECONDS)
        if not answer.ok:  # not invited yet
            return False
        candidate.visits.pop(0)
        self.acted.add(candidate.email)
        return True
