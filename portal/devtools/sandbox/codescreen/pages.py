"""The pages of the pretend CodeScreen: candidates, reports and settings."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import SHOWN, AccountPages, back
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.state import REASONS, CodeScreenAccount, Instance, Phase
from portal.devtools.sandbox.codescreen.webhooks import is_secret, new_secret
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import JsonObject, new_id, readable

PHASE_LABELS = {
    Phase.NOT_STARTED: "Not started",
    Phase.IN_PROGRESS: "In progress",
    Phase.SUBMITTED: "Submitted",
    Phase.COMPLETE: "Complete",
}
RESULT_TONES = {"Passed": "good", "Failed": "bad", "Expired": "bad"}
DONE = {
    "start": "The candidate started.",
    "submit": "The candidate submitted.",
    "evaluate": "The solution was evaluated.",
    "expire": "The candidate's time is over.",
    "reopen": "The candidate has another chance.",
    "regrade": "The result was edited.",
    "bounce": "The e-mail bounced.",
    "delete": "The candidate was deleted.",
}


def instance_row(instance: Instance) -> dict[str, object]:
    """Return what the pages show of a candidate."""
    return {
        "id": instance.id,
        "name": instance.name,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "status": PHASE_LABELS[instance.phase],
        "score": "" if instance.score is None else str(instance.score),
        "result": instance.result or "",
        "reason": instance.reason or "",
        "tone": RESULT_TONES.get(instance.result or "", ""),
        "bounced": instance.bounced,
        "sent": readable(instance.sent_at),
        "attempt": instance.attempt,
    }


class CodeScreenPages(AccountPages[CodeScreenAccount]):
    """The pages of a company's people; the buttons on them act for its candidates."""

    folder: ClassVar[str] = "codescreen"

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        candidate = "/candidates/<instance>"
        return [
            Route("GET", "/", self.home),
            self.route("GET", "/candidates", self.candidates),
            self.route("GET", candidate, self.candidate),
            self.route("POST", candidate, self.act),
            Route("GET", "/client-result/1/<first>/<second>", self.report),
            self.route("GET", "/settings", self.settings),
            self.route("POST", "/settings", self.change_settings),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the first account."""
        return redirect(f"/{next(iter(self._platform.accounts))}/candidates")

    def candidates(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the candidates, the latest first."""
        everyone = [one for one in reversed(account.instances.values()) if one.deleted_at is None]
        rows = [instance_row(one) for one in everyone[:SHOWN]]
        return self.show(request, account, "candidates.html", "candidates", rows=rows, total=len(everyone))

    def candidate(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show one candidate: the log, and the steps that are possible now."""
        instance = _instance(account, request)
        self._platform.journey.expire_if_overdue(account, instance)
        return self.show(
            request,
            account,
            "candidate.html",
            "candidates",
            row=instance_row(instance),
            one=instance,
            log=[(readable(at), entry) for at, entry in instance.log],
            report=self._platform.report_url(instance) if instance.phase is Phase.COMPLETE else "",
            reasons=REASONS,
            start_by=readable(instance.start_by),
            finish_by=readable(instance.finish_by),
        )

    def act(self, request: Request, account: CodeScreenAccount) -> Response:
        """Perform the action of the candidate page's button that was pressed."""
        action = request.field("action")
        instance = _instance(account, request)
        here = f"/{account.slug}/candidates/{instance.id}"
        try:
            self._platform.journey.act(account, instance, action, _evaluation(request))
        except HttpError as error:
            return back(here, problem=f"{error.message[:1].upper()}{error.message[1:]}.")
        return back(f"/{account.slug}/candidates" if action == "delete" else here, done=DONE[action])

    def report(self, request: Request) -> Response:
        """Show the report of a completed assessment."""
        found = self._platform.find_report(request.path_params["first"], request.path_params["second"])
        if found is None or found[1].deleted_at is not None or found[1].phase is not Phase.COMPLETE:
            raise HttpError(404, "There is no report here.")
        account, instance = found
        with account.lock:
            total, score = instance.assessment.unit_tests, instance.score
            times = {
                "Sent": instance.sent_at,
                "Started": instance.started_at,
                "Submitted": instance.submitted_at,
                "Evaluated": instance.evaluated_at,
            }
            return self.show(
                request,
                account,
                "report.html",
                "candidates",
                row=instance_row(instance),
                total=total,
                passed=None if score is None else score * total // 100,
                times=[(label, readable(at)) for label, at in times.items()],
            )

    def settings(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the key, whether results are stated, and the webhook."""
        return self.show(request, account, "settings.html", "settings")

    def change_settings(self, request: Request, account: CodeScreenAccount) -> Response:
        """Save the settings, or make a new key or secret."""
        here = f"/{account.slug}/settings"
        action = request.field("action")
        if action == "new-key":
            self._platform.change_key(account, new_id())
            return back(here, done="There is a new API key; the old one no longer works.")
        if action == "new-secret":
            account.settings.webhook_secret = new_secret()
            return back(here, done="There is a new webhook secret.")
        secret, url = request.field("webhook_secret"), request.field("webhook_url")
        if secret and not is_secret(secret):
            return back(here, problem="The secret has to be whsec_ and 24 to 64 bytes in base64.")
        if url and not url.startswith(("http://", "https://")):
            return back(here, problem="The webhook URL has to start with https:// or http://.")
        settings = account.settings
        settings.metadata, settings.webhooks_enabled = request.field("metadata") == "on", True
        settings.webhook_url, settings.webhook_secret = url, secret
        return back(here, done="Settings saved.")


def _instance(account: CodeScreenAccount, request: Request) -> Instance:
    instance = account.instances.get(request.path_params["instance"])
    if instance is None or instance.deleted_at is not None:
        raise HttpError(404, "There is no such candidate.")
    return instance


def _evaluation(request: Request) -> JsonObject:
    """Return score, result and reason as the form has them; a score that is no number stays text."""
    score = request.field("score")
    evaluation: JsonObject = {name: request.field(name) or None for name in ("result", "reason")}
    if score:
        evaluation["score"] = int(score) if score.isascii() and score.isdigit() else score
    return evaluation
