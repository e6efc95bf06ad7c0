"""The pretend CodeScreen's server and its control API: candidates who act, settings, the ledger."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import ControlApi
from portal.devtools.sandbox.codescreen.api import Api, api_key
from portal.devtools.sandbox.codescreen.pages import CodeScreenPages
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, control_route, json_response
from portal.devtools.sandbox.seed import codescreen_accounts
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.values import JsonObject, pick


def _instance(instance: Instance) -> JsonObject:
    """Return where an instance stands."""
    return {
        "instance": instance.id,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "phase": instance.phase,
        "score": instance.score,
    }


def ledger_subject(email: str, assessment_id: str) -> str:
    """Return the name under which the ledger counts the faults of one person and one assessment."""
    return f"{email.strip().casefold()} {assessment_id}"


class CodeScreenControl(ControlApi[CodeScreenAccount]):
    """The pretend CodeScreen's control calls."""

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            *super().routes(),
            control_route("POST", "accounts", self.put_account),
            self.route("candidate", self.candidate),
        ]

    def put_account(self, request: Request) -> Response:
        """Add or replace an account."""
        body = request.json_object()
        slug = pick(body, "account", str, "")
        self._platform.add_account(slug, {key: value for key, value in body.items() if key != "account"})
        return json_response({})

    def describe(self, account: CodeScreenAccount) -> JsonObject:
        """Return what happened in an account; invitations are counted per e-mail address and assessment."""
        invitations: list[JsonObject] = []
        subjects: list[str] = []
        for (email, assessment_id), instances in account.by_person.items():
            subjects.append(ledger_subject(email, assessment_id))
            entry: JsonObject = {
                "email": email,
                "assessment": account.assessments[assessment_id].name,
                "assessment_id": assessment_id,
                # The API sends one e-mail per instance; further ones are resent by a person.
                "emails_sent": len(instances),
                "instances": [_instance(one) for one in instances],
            }
            invitations.append(entry | account.ledger.faults_of(subjects[-1]))
        return {
            "invitations": invitations,
            "calls": account.ledger.describe_calls(),
            "deliveries": [delivery.describe() for delivery in account.deliveries],
            "other_faults": account.ledger.other_faults(subjects),
        }

    def candidate(self, account: CodeScreenAccount, body: JsonObject) -> JsonObject:
        """Let a candidate act."""
        if "instance" in body:
            instance = account.instances.get(body["instance"])
        else:
            instance = account.latest(pick(body, "email", str, ""), pick(body, "assessment", str, ""))
        if instance is None:
            raise HttpError(404, "no such candidate", "not_found")
        action = body.get("action")
        for step in action if isinstance(action, list) else [action]:
            self._platform.journey.act(account, instance, str(step), body)
        return _instance(instance)


ROUTE_GROUPS = (Api, CodeScreenControl, CodeScreenPages)


class CodeScreenSandbox(SandboxServer):
    """A pretend CodeScreen; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "codescreen"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.api_url = f"{self.url}/api"
        self.platform = CodeScreenPlatform(self.url)
        for slug, account in codescreen_accounts().items():
            self.platform.add_account(slug, account)
        for group in ROUTE_GROUPS:
            self.router.add(group(self.platform).routes())

    def stop(self) -> None:
        """Stop serving and sending."""
        self.platform.sender.stop()
        super().stop()

    def account_slug(self, request: Request) -> str:
        """Return the account of the API key."""
        account = self.platform.account_with_key(api_key(request))
        return account.slug if account else ""

    def record_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Count a fault on an invitation under its e-mail address and assessment."""
        account = self.platform.account_with_key(api_key(request))
        if account is None:
            return
        try:
            body = request.json_object()
        except HttpError:
            body = {}
        subject = ledger_subject(str(body.get("email", "")), str(body.get("assessmentId", "")))
        with account.lock:
            account.ledger.record_fault(subject, fault, took_effect=took_effect)

    def unknown_path(self, request: Request) -> HttpError:
        """Return the error that answers a path without a route."""
        return HttpError(404, f"{request.path} was not found", "not_found")
