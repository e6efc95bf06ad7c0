"""The pretend CodeScreen's server and its control API: candidates who act, settings, the ledger."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import ControlApi
from portal.devtools.sandbox.codescreen.api import Api, api_key
from portal.devtools.sandbox.codescreen.pages import CodeScreenPages
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.seed import new_account
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.codescreen.webhooks import is_secret, new_secret
from portal.devtools.sandbox.messages import HttpError, Request
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.values import JsonObject, new_id, pick


def _instance(instance: Instance) -> JsonObject:
    """Return where an instance stands."""
    return {
        "instance": instance.id,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "phase": instance.phase,
        "score": instance.score,
        "said": instance.log[-1][1],
    }


def ledger_subject(email: str, assessment_id: str) -> str:
    """Return the name under which the ledger counts the faults of one person and one assessment."""
    return f"{email.strip().casefold()} {assessment_id}"


class CodeScreenControl(ControlApi[CodeScreenAccount]):
    """What candidates and a company's people do in the pretend CodeScreen."""

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

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
            invitations.append(entry | {"ambiguous": account.ambiguous[subjects[-1]]})
        return {
            "invitations": invitations,
            "deliveries": [delivery.describe() for delivery in account.deliveries],
            "ambiguous_elsewhere": [one for one in account.ambiguous if one not in subjects],
        }

    def do_settings(self, account: CodeScreenAccount, body: JsonObject) -> JsonObject:
        """Change settings of an account; raises a 400 HttpError, also for what is no secret or address."""
        secret, url = pick(body, "webhook_secret", str, ""), pick(body, "webhook_url", str, "")
        if secret and not is_secret(secret):
            raise HttpError(400, "the secret has to be whsec_ and 24 to 64 bytes in base64")
        if url and not url.startswith(("http://", "https://")):
            raise HttpError(400, "the webhook URL has to start with https:// or http://")
        return super().do_settings(account, body)

    def do_new_key(self, account: CodeScreenAccount, _body: JsonObject) -> JsonObject:
        """Give an account another API key; the old one stops working at once."""
        self._platform.change_key(account, new_id())
        return {}

    def do_new_secret(self, account: CodeScreenAccount, _body: JsonObject) -> JsonObject:
        """Give an account another secret of its webhook."""
        account.settings.webhook_secret = new_secret()
        return {}

    def do_candidate(self, account: CodeScreenAccount, body: JsonObject) -> JsonObject:
        """Let a candidate act."""
        if "instance" in body:
            instance = account.instances.get(body["instance"])
        else:
            instance = account.latest(pick(body, "email", str, ""), pick(body, "assessment", str, ""))
        if instance is None:
            raise HttpError(404, "no such candidate", "not_found")
        action = body.get("action")
        for step in action if isinstance(action, list) else [action]:
            self._platform.act(account, instance, str(step), body)
        return _instance(instance)


ROUTE_GROUPS = (Api, CodeScreenPages)


class CodeScreenSandbox(SandboxServer):
    """A pretend CodeScreen; `start()` it, talk to `url`, `stop()` it."""

    server_name: ClassVar[str] = "codescreen"
    unknown_path: ClassVar[str] = "not_found"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.api_url = f"{self.url}/api"
        self.platform = CodeScreenPlatform(self.url)
        self.sender = self.platform.sender
        self.platform.add_account(new_account("acme"))
        self.platform.add_account(new_account("globex", assessments=3))
        self.control = CodeScreenControl(self.platform)
        self.router.add(self.control.routes())
        for group in ROUTE_GROUPS:
            self.router.add(group(self.platform).routes())

    def account_of(self, request: Request) -> CodeScreenAccount | None:
        """Return the account of the API key."""
        return self.platform.account_with_key(api_key(request))

    def subject_of(self, request: Request) -> str:
        """Return the e-mail address and the assessment of an invitation."""
        try:
            body = request.json_object()
        except HttpError:
            body = {}
        return ledger_subject(str(body.get("email", "")), str(body.get("assessmentId", "")))
