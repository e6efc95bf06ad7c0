"""The pages of the pretend CodeScreen: candidates, reports and settings."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import AccountPages, back, page_number, page_of
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


class CodeScreenPages(AccountPages[CodeScreenAccount]):
    """A group of the pretend CodeScreen's pages."""

    folder: ClassVar[str] = "codescreen"

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform


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


class CandidatePages(CodeScreenPages):
    """The pages of a company's people; the buttons on them act for its candidates."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        candidate = "/candidates/<instance>"
        return [
            Route("GET", "/", self.home),
            self.route("GET", "", self.account_home),
            self.route("GET", "/assessments", self.assessments),
            self.route("GET", "/candidates", self.candidates),
            self.route("GET", candidate, self.candidate),
            self.route("POST", candidate, self.act),
            Route("GET", "/candidate/<instance>", self.candidate_link),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the first account."""
        first = next(iter(self._platform.accounts), "")
        if not first:
            raise HttpError(404, "There is no account here yet.")
        return redirect(f"/{first}/candidates")

    def account_home(self, request: Request, account: CodeScreenAccount) -> Response:
        """Lead to the account's candidates."""
        return redirect(f"/{account.slug}/candidates")

    def assessments(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the assessments."""
        rows = [
            {"assessment": item, "start": f"{item.days_to_start:g}", "finish": f"{item.days_to_finish:g}"}
            for item in account.assessments.values()
        ]
        return self.show_table(
            request,
            account,
            "assessments.html",
            "assessments",
            title="Assessments",
            headings=("Assessment", "Deadline to start", "Time limit", "Unit tests", "Id"),
            rows=rows,
        )

    def candidates(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the candidates, the latest first."""
        everyone = [one for one in reversed(account.instances.values()) if one.deleted_at is None]
        shown, links = page_of(everyone, page_number(request))
        return self.show_table(
            request,
            account,
            "candidates.html",
            "candidates",
            title="Candidates",
            headings=("Candidate", "Assessment", "Status", "Score", "Result", "Sent"),
            rows=[instance_row(one) for one in shown],
            if_empty="Nobody was invited yet.",
            total=len(everyone),
            links=links,
        )

    def candidate(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show one candidate: the log, the e-mails, and the steps that are possible now."""
        instance = _instance(account, request)
        self._platform.journey.expire_if_overdue(account, instance)
        is_complete = instance.phase is Phase.COMPLETE
        return self.show(
            request,
            account,
            "candidate.html",
            "candidates",
            row=instance_row(instance),
            one=instance,
            log=[(readable(at), entry) for at, entry in instance.log],
            emails=[{"at": readable(email.at), "email": email} for email in reversed(instance.emails)],
            report=self._platform.report_url(instance) if is_complete else "",
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

    def candidate_link(self, request: Request) -> Response:
        """Lead from the link in a candidate's e-mail to their page here."""
        instance_id = request.path_params["instance"]
        for account in self._platform.accounts.values():
            if instance_id in account.instances:
                return redirect(f"/{account.slug}/candidates/{instance_id}")
        raise HttpError(404, "This link doesn't lead to an assessment.")


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


class ReportPages(CodeScreenPages):
    """The report's page."""

    def routes(self) -> list[Route]:
        """Return the page's route."""
        return [Route("GET", "/client-result/1/<first>/<second>", self.report)]

    def report(self, request: Request) -> Response:
        """Show the report of a completed assessment."""
        found = self._platform.find_report(request.path_params["first"], request.path_params["second"])
        if found is None or found[1].deleted_at is not None or found[1].phase is not Phase.COMPLETE:
            raise HttpError(404, "There is no report here.")
        account, instance = found
        with account.lock:
            total = instance.assessment.unit_tests
            passed = instance.score * total // 100 if instance.score is not None else None
            tests = [(number, passed is not None and number <= passed) for number in range(1, total + 1)]
            return self.show(
                request,
                account,
                "report.html",
                "candidates",
                one=instance,
                row=instance_row(instance),
                tests=tests if passed is not None else [],
                passed=passed,
                times=[
                    ("Sent", readable(instance.sent_at)),
                    ("Started", readable(instance.started_at)),
                    ("Submitted", readable(instance.submitted_at)),
                    ("Evaluated", readable(instance.evaluated_at)),
                ],
            )


EXTENSIONS = ("metadata", "conflict_409")
DELIVERIES_SHOWN = 50


class SettingsPages(CodeScreenPages):
    """The page where an account's settings are changed."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/settings"
        return [self.route("GET", path, self.settings), self.route("POST", path, self.change_settings)]

    def settings(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the key, the extensions, the webhook, and its latest deliveries."""
        return self.show_table(
            request,
            account,
            "settings.html",
            "settings",
            title="Settings",
            headings=("Sent", "Event", "State", "Last answer"),
            rows=[
                {"at": readable(delivery.created_at), "delivery": delivery}
                for delivery in account.deliveries[: -DELIVERIES_SHOWN - 1 : -1]
            ],
            if_empty="Nothing was sent yet.",
        )

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
        extensions: JsonObject = {name: request.field(name) == "on" for name in EXTENSIONS}
        account.settings.update(extensions | {"webhook_url": url, "webhook_secret": secret})
        account.settings.webhooks_enabled = True
        return back(here, done="Settings saved.")
