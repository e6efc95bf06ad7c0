"""The pretend CodeScreen as a whole: its accounts and reports, and the steps of a candidate."""

from dataclasses import replace

from portal.devtools.sandbox.codescreen.state import (
    EXPIRED,
    CodeScreenAccount,
    Evaluation,
    Instance,
    Phase,
)
from portal.devtools.sandbox.codescreen.webhooks import WebhookEvents
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, now_ms
from portal.devtools.sandbox.webhook_sender import WebhookSender


class Journey:
    """Takes candidates from invitation to result; hold the account's lock."""

    def __init__(self, sender: WebhookSender) -> None:
        self._events = WebhookEvents(sender)

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Add an instance and send the invitation."""
        account.add(instance)
        instance.allow_start()
        self._record(account, instance, "Sent Email", "candidate.invited")

    def start(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Confirm the start."""
        _expect(instance, Phase.NOT_STARTED)
        instance.phase, instance.started_at = Phase.IN_PROGRESS, now_ms()
        instance.allow_finish()
        self._record(account, instance, "Started", "candidate.started")

    def submit(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Hand the solution in; it isn't evaluated yet."""
        _expect(instance, Phase.IN_PROGRESS)
        instance.phase, instance.submitted_at = Phase.SUBMITTED, now_ms()
        self._record(account, instance, "Completed", "candidate.submitted")

    def evaluate(self, account: CodeScreenAccount, instance: Instance, evaluation: Evaluation) -> None:
        """Complete the assessment, also of a candidate who never pressed Submit."""
        _expect(instance, Phase.IN_PROGRESS, Phase.SUBMITTED)
        if not instance.assessment.unit_tests:
            evaluation = replace(evaluation, score=None)
        instance.complete(evaluation)
        self._record(account, instance, "Evaluated", "candidate.evaluated")

    def expire(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Complete the assessment of a candidate who ran out of time."""
        _expect(instance, Phase.NOT_STARTED, Phase.IN_PROGRESS)
        instance.complete(EXPIRED)
        self._record(account, instance, "Expired", "candidate.expired")

    def reopen(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Give another chance: resend to someone who expired unstarted, else request changes."""
        _expect(instance, Phase.COMPLETE)
        resend = instance.started_at is None
        instance.attempt += 1
        instance.phase = Phase.NOT_STARTED if resend else Phase.IN_PROGRESS
        instance.score = instance.result = instance.reason = None
        instance.details = {}
        instance.submitted_at = instance.evaluated_at = None
        if resend:
            instance.allow_start()
        else:
            instance.allow_finish()
        entry = "Sent Email" if resend else "Changes Requested"
        self._record(account, instance, entry, "candidate.reopened")

    def regrade(self, account: CodeScreenAccount, instance: Instance, evaluation: Evaluation) -> None:
        """Override score and result."""
        _expect(instance, Phase.COMPLETE)
        instance.attempt += 1
        instance.complete(evaluation)
        self._record(account, instance, "Result Edited", "candidate.result_updated")

    def bounce(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Let the invitation bounce: the address doesn't exist."""
        _expect(instance, Phase.NOT_STARTED)
        instance.bounced = True
        self._record(account, instance, "Email Bounced", "candidate.email_bounced")

    def delete(self, _account: CodeScreenAccount, instance: Instance) -> None:
        """Delete the candidate; the API no longer knows them then."""
        instance.deleted_at = now_ms()
        instance.log.append((now_ms(), "Deleted"))

    def expire_if_overdue(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Expire an instance whose time is over; called before every read."""
        if instance.is_overdue:
            self.expire(account, instance)

    def act(self, account: CodeScreenAccount, instance: Instance, action: str, document: JsonObject) -> None:
        """Do a step by its name; raises a 400 HttpError for an unknown one, 409 for one out of turn."""
        plain = {
            "start": self.start,
            "submit": self.submit,
            "expire": self.expire,
            "reopen": self.reopen,
            "bounce": self.bounce,
            "delete": self.delete,
        }
        evaluating = {"evaluate": self.evaluate, "regrade": self.regrade}
        if action in plain:
            plain[action](account, instance)
        elif action in evaluating:
            evaluating[action](account, instance, Evaluation.read(document))
        else:
            raise HttpError(400, f"unknown action {action}", "bad_request")

    def _record(self, account: CodeScreenAccount, instance: Instance, entry: str, event: str) -> None:
        """Write what happened into the candidate's log, and send its event."""
        instance.log.append((now_ms(), entry))
        instance.sequence += 1
        self._events.send(account, instance, event)


def _expect(instance: Instance, *phases: Phase) -> None:
    """Raise a 409 HttpError for an instance in another phase, or a deleted one."""
    if instance.deleted_at is not None or instance.phase not in phases:
        found = "deleted" if instance.deleted_at is not None else instance.phase
        message = f"the candidate is {found}, not {' or '.join(phases)}".replace("_", " ")
        raise HttpError(409, message, "out_of_turn")


class CodeScreenPlatform:
    """What every endpoint of the pretend CodeScreen works on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sender = WebhookSender("CodeScreen-Webhooks", timeout=15, obeys_answers=True)
        self.journey = Journey(self.sender)
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

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Invite a candidate, and make the report findable by its address."""
        self.journey.invite(account, instance)
        self._reports[instance.report] = (account, instance)

    def report_url(self, instance: Instance) -> str:
        """Return the address of a candidate's report."""
        first, second = instance.report
        return f"{self.url}/client-result/1/{first}/{second}"

    def find_report(self, first: str, second: str) -> tuple[CodeScreenAccount, Instance] | None:
        """Return the account and the candidate of the report at an address, or None."""
        return self._reports.get((first, second))
