"""The pretend CodeScreen as a whole: its accounts and reports, and the steps of a candidate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.devtools.sandbox.codescreen import webhooks
from portal.devtools.sandbox.codescreen.state import (
    EXPIRED,
    CodeScreenAccount,
    Evaluation,
    Instance,
    Phase,
)
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, now_ms
from portal.devtools.sandbox.webhook_sender import WebhookSender


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to a candidate: in which phases it can, and how the button, the log and the webhook name it."""

    label: str
    phases: Sequence[Phase]
    entry: str
    event: str


STEPS = {
    "start": Step("Start", [Phase.NOT_STARTED], "Started", "candidate.started"),
    "submit": Step("Submit", [Phase.IN_PROGRESS], "Completed", "candidate.submitted"),
    "bounce": Step("Bounce e-mail", [Phase.NOT_STARTED], "Email Bounced", "candidate.email_bounced"),
    "expire": Step("Expire", [Phase.NOT_STARTED, Phase.IN_PROGRESS], "Expired", "candidate.expired"),
    "reopen": Step("Give another chance", [Phase.COMPLETE], "Reopened", "candidate.reopened"),
}
#: Those that say what the assessment came to.
GRADING = {
    # also of a candidate who never pressed Submit
    "evaluate": Step("Evaluate", [Phase.IN_PROGRESS, Phase.SUBMITTED], "Evaluated", "candidate.evaluated"),
    "regrade": Step("Edit result", [Phase.COMPLETE], "Result Edited", "candidate.result_updated"),
}


class CodeScreenPlatform:
    """What every endpoint of the pretend CodeScreen works on; hold an account's lock for what happens in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sender = WebhookSender("CodeScreen-Webhooks", timeout=15, obeys_answers=True)
        self.accounts: dict[str, CodeScreenAccount] = {}
        self._by_key: dict[str, CodeScreenAccount] = {}
        self._reports: dict[tuple[str, str], tuple[CodeScreenAccount, Instance]] = {}

    def add_account(self, account: CodeScreenAccount) -> CodeScreenAccount:
        """Add an account, or replace the one of its slug."""
        self.accounts[account.slug] = account
        self.change_key(account, account.api_key)
        return account

    def change_key(self, account: CodeScreenAccount, key: str) -> None:
        """Give an account another API key; the old one stops working at once."""
        self._by_key.pop(account.api_key, None)
        account.api_key = key
        self._by_key[key] = account

    def account_with_key(self, key: str) -> CodeScreenAccount | None:
        """Return the account an API key belongs to."""
        return self._by_key.get(key)

    def report_url(self, instance: Instance) -> str:
        """Return the address of a candidate's report."""
        first, second = instance.report
        return f"{self.url}/client-result/1/{first}/{second}"

    def find_report(self, first: str, second: str) -> tuple[CodeScreenAccount, Instance] | None:
        """Return the account and the candidate of the report at an address, or None."""
        return self._reports.get((first, second))

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Invite a candidate, and make the report findable by its address."""
        account.add(instance)
        self._reports[instance.report] = (account, instance)
        instance.enter(Phase.NOT_STARTED)
        self._record(account, instance, "Sent Email", "candidate.invited")

    def act(self, account: CodeScreenAccount, instance: Instance, action: str, document: JsonObject) -> None:
        """Do a step by its name; raises a 400 HttpError for an unknown one, 409 for one out of turn."""
        if action == "delete":  # the API no longer knows them then
            instance.deleted_at = now_ms()
            instance.log.append((now_ms(), "Deleted"))
            return
        step = (STEPS | GRADING).get(action)
        if step is None:
            raise HttpError(400, f"unknown action {action}", "bad_request")
        if instance.deleted_at is not None or instance.phase not in step.phases:
            found = "deleted" if instance.deleted_at is not None else instance.phase
            message = f"the candidate is {found}, not {' or '.join(step.phases)}".replace("_", " ")
            raise HttpError(409, message, "out_of_turn")
        match action:
            case "start":
                instance.enter(Phase.IN_PROGRESS)
            case "submit":
                instance.enter(Phase.SUBMITTED)
            case "bounce":
                instance.bounced = True
            case "expire":
                instance.enter(Phase.COMPLETE, EXPIRED)
            case "reopen":
                instance.enter(Phase.NOT_STARTED if instance.started_at is None else Phase.IN_PROGRESS)
            case _:
                evaluation = Evaluation.read(document)
                if action == "evaluate" and not instance.assessment.unit_tests:
                    evaluation = replace(evaluation, score=None)
                instance.enter(Phase.COMPLETE, evaluation)
        self._record(account, instance, step.entry, step.event)

    def expire_if_overdue(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Expire an instance whose time is over; called before every read."""
        if instance.is_overdue:
            self.act(account, instance, "expire", {})

    def _record(self, account: CodeScreenAccount, instance: Instance, entry: str, event: str) -> None:
        """Write what happened into the candidate's log, and send its event."""
        instance.log.append((now_ms(), entry))
        instance.sequence += 1
        webhooks.send(self.sender, account, instance, event)
