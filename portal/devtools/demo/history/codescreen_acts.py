"""What happens in the pretend CodeScreen: candidates take their assessments, and the platform fails for an hour."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.devtools.demo.history.events import TakeStep
from portal.devtools.demo.history.people import Person
from portal.devtools.sandbox.codescreen import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.state import Instance

UNAVAILABLE = {"path": "^/api/", "probability": 1.0, "kind": "status", "status": 503}
ANSWER_LOST = {
    "method": "POST",
    "path": "/api/assessments$",
    "probability": 1.0,
    "times": 1,
    "kind": "reset_after",
}


class CodeScreenActs:
    """Acts in one account, and lets the whole platform fail.

    Its webhooks tell of what candidates do. That an invitation went out isn't reported: the portal knows that already.
    """

    def __init__(self, server: CodeScreenSandbox, slug: str) -> None:
        self._server = server
        self._account = server.platform.accounts[slug]
        self._account.settings.webhooks_enabled = False

    def take_step(self, act: TakeStep) -> None:
        """Let the candidate take the next step. Raises HttpError for a step out of turn."""
        instance = self.instance(act.person)
        with self._account.lock, self.reporting():
            self._server.platform.journey.act(self._account, instance, act.step, dict(act.result))

    def instance(self, person: Person) -> Instance:
        """Return the person's latest invitation. Raises LookupError when there is none."""
        instance = self._account.latest(person.email, person.assessment)
        if instance is None:
            raise LookupError(f"{person.word} was not invited to {person.assessment}")
        return instance

    def fail(self) -> None:
        """Answer every call with 503 from now on."""
        self._server.faults.load({"seed": 1, "rules": [UNAVAILABLE]})

    def work(self) -> None:
        """Answer every call again."""
        self._server.faults.clear()

    def lose_next_answer(self) -> None:
        """Carry out the next invitation without an answer."""
        self._server.faults.load({"seed": 1, "rules": [ANSWER_LOST]})

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Send webhooks until the end of the block."""
        self._account.settings.webhooks_enabled = True
        try:
            yield
        finally:
            self._account.settings.webhooks_enabled = False

    def end(self) -> None:
        """Report everything from now on."""
        self._account.settings.webhooks_enabled = True
        self._account.lost = 0
