"""Take one candidate from the stage change to the feedback, and say on the way what happened and when."""

import time
from collections.abc import Callable
from datetime import datetime

import requests
from django.db import connections
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import CONNECTED, SECONDS, STAGE_NAME, NotReady, control
from portal.devtools.sandbox.ids import stable_id

STEP_SECONDS = 40.0
CANDIDATE = "Alder"
EMAIL, ASSESSMENT = "alder@candidates.example", "Backend"


class Check:
    """One candidate's way, as a timeline on standard output."""

    def __init__(self, stage: Stage, say: Callable[[str], None]) -> None:
        self._stage = stage
        self._say = say
        self._opportunity = stable_id(CONNECTED, "opportunity", CANDIDATE)
        self._began = time.monotonic()

    def run(self) -> bool:
        """Walk the whole road; whether every step was seen, and Lever's and CodeScreen's own books agree."""
        try:
            self._walk()
            self._compare_books()
        except (NotReady, requests.RequestException) as error:
            self._say(f"FAILED  {error}")
            return False
        finally:
            connections.close_all()
        self._say("ok      One stage change, one e-mail, one feedback, one progress tag.")
        return True

    def _walk(self) -> None:
        self._say(f"Timeline of Candidate {CANDIDATE} ({self._opportunity})")
        control(self._stage.lever_url, "move", opportunities=[self._opportunity], stage=STAGE_NAME)
        self._tell("stage change", f"moved to “{STAGE_NAME}” in Lever")
        delivery = self._wait("a verdict", lambda: self._deliveries().exclude(verdict="").first())
        self._tell("verdict", f"{delivery.verdict}: {delivery.explanation}", delivery.decided_at)
        self._reach("invited", "CodeScreen sent the invitation")
        self._tag("CodeScreen: Candidate Invited")
        self._act("start")
        self._reach("in_progress", "the candidate began", label="started")
        self._tag("CodeScreen: Assessment in Progress")
        self._act("submit")
        self._reach("submitted", "the candidate handed in the solution")
        self._act("evaluate", score=82, result="Passed")
        invitation = self._reach("completed", "CodeScreen evaluated it", label="evaluated")
        result = invitation.results.get()
        self._tell("result", f"{result.outcome}, score {result.score}, rating {result.rating}")
        self._effect(Effect.Kind.WRITE_FEEDBACK, "feedback", "written to Lever")
        self._effect(Effect.Kind.ADD_REPORT_LINK, "link", result.report_url)
        self._tag("CodeScreen: Assessment Completed")

    def _compare_books(self) -> None:
        books = requests.get(
            f"{self._stage.lever_url}/_control/ledger", params={"account": CONNECTED}, timeout=SECONDS
        ).json()
        seen = books["accounts"][CONNECTED]["opportunities"][self._opportunity]
        progress = [tag for tag in seen["tags"] if tag.startswith("CodeScreen:")]
        ratings = [form["fields"]["Rating"] for form in seen["feedback"]]
        if (
            progress != ["CodeScreen: Assessment Completed"]
            or len(ratings) != 1
            or not ratings[0].startswith("4")
        ):
            raise NotReady(f"Lever shows the tags {progress} and the ratings {ratings}")
        books = requests.get(
            f"{self._stage.codescreen_url}/_control/ledger", params={"account": CONNECTED}, timeout=SECONDS
        ).json()
        rows = books["accounts"][CONNECTED]["invitations"]
        sent = sum(row["emails_sent"] for row in rows if row["email"] == EMAIL)
        if sent != 1:
            raise NotReady(f"CodeScreen sent {sent} invitations instead of one")

    def _deliveries(self) -> "Delivery.objects.__class__":  # type: ignore[name-defined]
        return Delivery.objects.filter(opportunity_id=self._opportunity, event="candidateStageChange")

    def _act(self, action: str, **details: object) -> None:
        control(
            self._stage.codescreen_url,
            "candidate",
            email=EMAIL,
            assessment=ASSESSMENT,
            action=action,
            **details,
        )

    def _reach(self, status: str, words: str, label: str = "") -> Invitation:
        found = self._wait(
            f"the status {status}",
            lambda: Invitation.objects.filter(opportunity_id=self._opportunity, status=status).first(),
        )
        self._tell(label or status.replace("_", " "), words, found.changed_at)
        return found

    def _tag(self, tag: str) -> None:
        effects = Effect.objects.filter(opportunity_id=self._opportunity, kind=Effect.Kind.SET_PROGRESS_TAG)
        done = self._wait(
            f"the tag {tag}", lambda: effects.filter(payload__tag=tag, state=Effect.State.DONE).first()
        )
        self._tell("tag", tag, done.done_at)

    def _effect(self, kind: str, label: str, words: str) -> None:
        effects = Effect.objects.filter(opportunity_id=self._opportunity, kind=kind)
        done = self._wait(label, lambda: effects.filter(state=Effect.State.DONE).first())
        self._tell(label, words, done.done_at)

    def _wait[Found](self, what: str, look: Callable[[], Found | None]) -> Found:
        deadline = time.monotonic() + STEP_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(0.1)
        raise NotReady(f"{what} wasn't seen within {STEP_SECONDS:.0f} s")

    def _tell(self, label: str, words: str, at: datetime | None = None) -> None:
        moment = at or timezone.now()
        self._say(f"  {moment:%H:%M:%S.%f}"[:14] + f"  {label:<14}{words}")
