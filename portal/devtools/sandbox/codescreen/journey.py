"""The steps of a candidate, from the API, the pages and the control API alike."""

from portal.devtools.sandbox.codescreen import emails
from portal.devtools.sandbox.codescreen.evaluation import EXPIRED, Evaluation
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance, Phase
from portal.devtools.sandbox.codescreen.webhook_events import WebhookEvents
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import now_ms
from portal.devtools.sandbox.webhook_sender import WebhookSender


class Journey:
    """Takes candidates from invitation to result; hold the account's lock."""

    def __init__(self, sender: WebhookSender, base_url: str) -> None:
        self._events = WebhookEvents(sender)
        self._base_url = base_url

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Add an instance and send the invitation."""
        account.add(instance)
        instance.allow_start()
        self._email(account, instance, emails.BEGIN)
        self._record(account, instance, "Sent Email", "candidate.invited")

    def start(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Confirm the start."""
        _expect(instance, Phase.NOT_STARTED)
        instance.phase, instance.started_at = Phase.IN_PROGRESS, now_ms()
        instance.allow_finish()
        self._email(account, instance, emails.DETAILS)
        self._record(account, instance, "Started", "candidate.started")

    def submit(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Hand the solution in; it isn't evaluated yet."""
        _expect(instance, Phase.IN_PROGRESS)
        instance.phase, instance.submitted_at = Phase.SUBMITTED, now_ms()
        self._email(account, instance, emails.ACKNOWLEDGEMENT)
        self._record(account, instance, "Completed", "candidate.submitted")

    def evaluate(self, account: CodeScreenAccount, instance: Instance, evaluation: Evaluation) -> None:
        """Complete the assessment, also of a candidate who never pressed Submit."""
        _expect(instance, Phase.IN_PROGRESS, Phase.SUBMITTED)
        if not instance.assessment.unit_tests:
            evaluation = Evaluation(None, evaluation.result, evaluation.reason)
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
        instance.submitted_at = instance.evaluated_at = None
        if resend:
            instance.allow_start()
        else:
            instance.allow_finish()
        self._email(account, instance, emails.BEGIN if resend else emails.REQUEST_CHANGES)
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
        """Delete the candidate, whom the API no longer knows then."""
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

    def _email(self, account: CodeScreenAccount, instance: Instance, template: str) -> None:
        instance.emails.append(emails.write_email(template, instance, account.name, self._base_url))

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
