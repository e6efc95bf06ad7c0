"""The assessments, the candidates, and what a candidate does next."""

from portal.devtools.sandbox.account_pages import back, page_number, page_of
from portal.devtools.sandbox.codescreen.evaluation import REASONS
from portal.devtools.sandbox.codescreen.pages.base import CodeScreenPages, instance_row
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance, Phase
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, redirect
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import readable

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
        candidate = "/<account:account>/candidates/<instance>"
        return [
            Route("GET", "/", self.home),
            Route("GET", "/<account:account>", self.account_home),
            Route("GET", "/<account:account>/assessments", self.assessments),
            Route("GET", "/<account:account>/candidates", self.candidates),
            Route("GET", candidate, self.candidate),
            Route("POST", candidate, self.act),
            Route("GET", "/candidate/<instance>", self.candidate_link),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the first account."""
        first = next(iter(self._platform.accounts), "")
        if not first:
            raise HttpError(404, "There is no account here yet.")
        return redirect(f"/{first}/candidates")

    def account_home(self, request: Request) -> Response:
        """Lead to the account's candidates."""
        return redirect(f"/{self.account(request).slug}/candidates")

    def assessments(self, request: Request) -> Response:
        """Show the assessments."""
        account = self.account(request)
        with account.lock:
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

    def candidates(self, request: Request) -> Response:
        """Show the candidates, the latest first."""
        account = self.account(request)
        with account.lock:
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

    def candidate(self, request: Request) -> Response:
        """Show one candidate: the log, the e-mails, and the steps that are possible now."""
        account = self.account(request)
        with account.lock:
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

    def act(self, request: Request) -> Response:
        """Perform the action of the candidate page's button that was pressed."""
        account = self.account(request)
        action = request.field("action")
        with account.lock:
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
