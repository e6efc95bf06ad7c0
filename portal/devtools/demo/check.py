"""`demo --check`: takes one candidate from the stage change to the feedback, and prints a timeline."""

from collections.abc import Callable
from datetime import datetime

import requests
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.demo.provisioning import CONNECTED, STAGE_NAME
from portal.devtools.processes import RunFailed, wait_until
from portal.devtools.sandbox.values import stable_id

STEP_SECONDS = 40.0
CANDIDATE = "Alder"
EMAIL, ASSESSMENT = "alder@candidates.example", "Backend"


class Check:
    """One candidate's journey, printed step by step."""

    def __init__(self, environment: DemoEnvironment, write: Callable[[str], None]) -> None:
        self._lever = environment.lever
        self._codescreen = environment.codescreen
        self._write = write
        self._opportunity = stable_id(CONNECTED, "opportunity", CANDIDATE)

    def run(self) -> bool:
        """Go through every step; return whether all were seen and both platforms' ledgers agree."""
        try:
            self._go_through_the_steps()
            self._verify_ledgers()
        except (RunFailed, requests.RequestException) as error:
            self._write(f"FAILED  {error}")
            return False
        finally:
            connections.close_all()
        self._write("ok      One stage change, one e-mail, one feedback, one progress tag.")
        return True

    def _go_through_the_steps(self) -> None:
        self._write(f"Timeline of Candidate {CANDIDATE} ({self._opportunity})")
        self._lever.act("move", account=CONNECTED, opportunities=[self._opportunity], stage=STAGE_NAME)
        self._print_step("stage change", f"moved to “{STAGE_NAME}” in Lever")
        delivery = self._wait_for("a verdict", self._decided_delivery)
        self._print_step("verdict", f"{delivery.verdict}: {delivery.explanation}", delivery.decided_at)
        self._wait_for_status("invited", "invited", "CodeScreen sent the invitation")
        self._wait_for_tag(ProgressTag.INVITED)
        self._act_as_candidate("start")
        self._wait_for_status("in_progress", "started", "the candidate began")
        self._wait_for_tag(ProgressTag.IN_PROGRESS)
        self._act_as_candidate("submit")
        self._wait_for_status("submitted", "submitted", "the candidate handed in the solution")
        self._act_as_candidate("evaluate", score=82, result="Passed")
        invitation = self._wait_for_status("completed", "evaluated", "CodeScreen evaluated it")
        result = invitation.results.get()
        self._print_step("result", f"{result.outcome}, score {result.score_text}, rating {result.rating}")
        self._wait_for_effect(Effect.Kind.WRITE_FEEDBACK, "feedback", "written to Lever")
        self._wait_for_effect(Effect.Kind.ADD_REPORT_LINK, "link", result.report_url)
        self._wait_for_effect(Effect.Kind.ATTACH_REPORT, "file", "attached in Lever as a PDF")
        self._wait_for_tag(ProgressTag.COMPLETED)

    def _verify_ledgers(self) -> None:
        opportunity = self._lever.ledger(CONNECTED)["opportunities"][self._opportunity]
        tags = [tag for tag in opportunity["tags"] if tag.startswith("CodeScreen:")]
        ratings = [form["fields"]["Rating"] for form in opportunity["feedback"]]
        is_rated_once = len(ratings) == 1 and ratings[0].startswith("4")
        if tags != [ProgressTag.COMPLETED] or not is_rated_once:
            raise RunFailed(f"Lever shows the tags {tags} and the ratings {ratings}")
        invitations = self._codescreen.ledger(CONNECTED)["invitations"]
        sent = sum(invitation["emails_sent"] for invitation in invitations if invitation["email"] == EMAIL)
        if sent != 1:
            raise RunFailed(f"CodeScreen sent {sent} invitations instead of one")

    def _act_as_candidate(self, action: str, **details: object) -> None:
        person = {"account": CONNECTED, "email": EMAIL, "assessment": ASSESSMENT}
        self._codescreen.act("candidate", **person, action=action, **details)

    def _decided_delivery(self) -> Delivery | None:
        deliveries = Delivery.objects.filter(opportunity_id=self._opportunity, event="candidateStageChange")
        return deliveries.exclude(verdict="").first()

    def _wait_for_status(self, status: str, label: str, text: str) -> Invitation:
        invitations = Invitation.objects.filter(opportunity_id=self._opportunity, status=status)
        invitation = self._wait_for(f"the status {status}", invitations.all().first)
        self._print_step(label, text, invitation.changed_at)
        return invitation

    def _wait_for_tag(self, tag: str) -> None:
        effects = self._done_effects(Effect.Kind.SET_PROGRESS_TAG).filter(payload__tag=tag)
        self._print_step("tag", tag, self._wait_for(f"the tag {tag}", effects.all().first).done_at)

    def _wait_for_effect(self, kind: str, label: str, text: str) -> None:
        self._print_step(label, text, self._wait_for(label, self._done_effects(kind).all().first).done_at)

    def _done_effects(self, kind: str) -> QuerySet[Effect]:
        return Effect.objects.filter(opportunity_id=self._opportunity, kind=kind, state=Effect.State.DONE)

    def _wait_for[Row](self, what: str, read: Callable[[], Row | None]) -> Row:
        failure = f"{what} wasn't seen within {STEP_SECONDS:.0f} s"
        return wait_until(read, STEP_SECONDS, failure)

    def _print_step(self, label: str, text: str, at: datetime | None = None) -> None:
        moment = at or timezone.now()
        self._write(f"  {moment:%H:%M:%S.%f}"[:14] + f"  {label:<14}{text}")
