"""The pages of the pretend CodeScreen: assessments, candidates, reports, settings."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from portal.devtools.sandbox.codescreen.signature import is_secret, new_secret
from portal.devtools.sandbox.codescreen.state import COMPLETE, REASONS, CodeScreenAccount, Instance
from portal.devtools.sandbox.http import Refusal, Request, Response, redirect
from portal.devtools.sandbox.ids import Json, new_id, when
from portal.devtools.sandbox.pages import render

if TYPE_CHECKING:
    from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox

PAGE_SIZE = 100
SAID = {
    "start": "The candidate started.",
    "submit": "The candidate submitted.",
    "evaluate": "The solution was evaluated.",
    "expire": "The candidate's time is over.",
    "reopen": "The candidate has another chance.",
    "regrade": "The result was edited.",
    "bounce": "The e-mail bounced.",
    "delete": "The candidate was deleted.",
}


class CodeScreenPages:
    """Where a company's people and, in their place, its candidates act."""

    def __init__(self, server: "CodeScreenSandbox") -> None:
        self._server = server
        add = server.router.add
        add("GET", "/", self.home)
        add("GET", "/<account>", self.account_home)
        add("GET", "/<account>/assessments", self.assessments)
        add("GET", "/<account>/candidates", self.candidates)
        add("GET", "/<account>/candidates/<instance>", self.candidate)
        add("POST", "/<account>/candidates/<instance>", self.act)
        add("GET", "/<account>/settings", self.settings)
        add("POST", "/<account>/settings", self.change_settings)
        add("GET", "/candidate/<instance>", self.candidate_link)
        add("GET", "/client-result/1/<first>/<second>", self.report)

    def home(self, _request: Request) -> Response:
        """Lead to the first account."""
        first = next(iter(self._server.accounts), "")
        if not first:
            raise Refusal(404, "There is no account here yet.")
        return redirect(f"/{first}/candidates")

    def account_home(self, request: Request) -> Response:
        """Lead to the account's candidates."""
        return redirect(f"/{self._account(request).slug}/candidates")

    def assessments(self, request: Request) -> Response:
        """Show the assessments."""
        account = self._account(request)
        with account.lock:
            rows = [
                {"item": item, "start": f"{item.days_to_start:g}", "finish": f"{item.days_to_finish:g}"}
                for item in account.assessments.values()
            ]
            return self._show(request, account, "assessments.html", "assessments", rows=rows)

    def candidates(self, request: Request) -> Response:
        """Show the candidates, the latest first."""
        account = self._account(request)
        number = max(1, int(request.arg("page"))) if request.arg("page").isdigit() else 1
        start = (number - 1) * PAGE_SIZE
        with account.lock:
            everyone = [one for one in reversed(account.instances.values()) if one.deleted_at is None]
            rows = [_row(one) for one in everyone[start : start + PAGE_SIZE]]
            return self._show(
                request,
                account,
                "candidates.html",
                "candidates",
                rows=rows,
                total=len(everyone),
                previous_page=number - 1,
                next_page=number + 1 if start + PAGE_SIZE < len(everyone) else 0,
            )

    def candidate(self, request: Request) -> Response:
        """Show one candidate: the log, the e-mails, and what they could do next."""
        account = self._account(request)
        with account.lock:
            instance = self._instance(account, request)
            self._server.journey.check_time(account, instance)
            return self._show(
                request,
                account,
                "candidate.html",
                "candidates",
                row=_row(instance),
                one=instance,
                log=[(when(at), entry) for at, entry in instance.log],
                mails=[{"at": when(m.at), "mail": m} for m in reversed(instance.mails)],
                report=self._server.report_url(instance) if instance.phase == COMPLETE else "",
                reasons=REASONS,
                start_by=when(instance.start_by),
                finish_by=when(instance.finish_by),
            )

    def act(self, request: Request) -> Response:
        """Do what one of the candidate page's buttons says."""
        account = self._account(request)
        action = request.field("action")
        here = f"/{account.slug}/candidates/{request.params['instance']}"
        try:
            with account.lock:
                instance = self._instance(account, request)
                self._server.journey.act(account, instance, action, _verdict(request))
        except Refusal as refusal:
            if refusal.status == 404:
                raise
            return _back(here, problem=f"{refusal.message[:1].upper()}{refusal.message[1:]}.")
        if action == "delete":
            here = f"/{account.slug}/candidates"
        return _back(here, done=SAID[action])

    def settings(self, request: Request) -> Response:
        """Show the key, the extensions and the webhook."""
        account = self._account(request)
        with account.lock:
            deliveries = [
                {"at": when(item.created_at), "delivery": item} for item in account.deliveries[:-51:-1]
            ]
            return self._show(request, account, "settings.html", "settings", deliveries=deliveries)

    def change_settings(self, request: Request) -> Response:
        """Save the settings, or make a new key or secret."""
        account = self._account(request)
        here = f"/{account.slug}/settings"
        action = request.field("action")
        with account.lock:
            if action == "new-key":
                self._server.change_key(account, new_id())
                return _back(here, done="There is a new API key; the old one no longer works.")
            if action == "new-secret":
                account.settings.webhook_previous_secret = account.settings.webhook_secret
                account.settings.webhook_secret = new_secret()
                return _back(here, done="There is a new webhook secret.")
            secret, url = request.field("webhook_secret"), request.field("webhook_url")
            if secret and not is_secret(secret):
                return _back(here, problem="The secret has to be whsec_ and 24 to 64 bytes in base64.")
            if url and not url.startswith(("http://", "https://")):
                return _back(here, problem="The webhook URL has to start with https:// or http://.")
            switches: Json = {
                name: request.field(name) == "on" for name in ("metadata", "idempotency", "conflict_409")
            }
            account.settings.update(switches | {"webhook_url": url, "webhook_secret": secret})
            account.settings.webhooks_enabled = True
        return _back(here, done="Settings saved.")

    def candidate_link(self, request: Request) -> Response:
        """Lead from the link in a candidate's e-mail to their page here."""
        for account in self._server.accounts.values():
            if request.params["instance"] in account.instances:
                return redirect(f"/{account.slug}/candidates/{request.params['instance']}")
        raise Refusal(404, "This link doesn't lead to an assessment.")

    def report(self, request: Request) -> Response:
        """Show the report the result link opens."""
        found = self._server.find_report(request.params["first"], request.params["second"])
        if found is None or found[1].deleted_at is not None or found[1].phase != COMPLETE:
            raise Refusal(404, "There is no report here.")
        account, one = found
        with account.lock:
            total = one.assessment.unit_tests
            passed = one.score * total // 100 if one.score is not None else None
            tests = [(number, passed is not None and number <= passed) for number in range(1, total + 1)]
            context = {
                "row": _row(one),
                "tests": tests if passed is not None else [],
                "passed": passed,
                "times": [
                    ("Sent", when(one.sent_at)),
                    ("Started", when(one.started_at)),
                    ("Submitted", when(one.submitted_at)),
                    ("Evaluated", when(one.evaluated_at)),
                ],
            }
            return self._show(request, account, "report.html", "candidates", one=one, **context)

    def _show(
        self, request: Request, account: CodeScreenAccount, template: str, tab: str, **context: Any
    ) -> Response:
        frame = {
            "account": account,
            "accounts": list(self._server.accounts.values()),
            "tab": tab,
            "done": request.arg("done"),
            "problem": request.arg("problem"),
        }
        return render(f"codescreen/{template}", frame | context)

    def _account(self, request: Request) -> CodeScreenAccount:
        account = self._server.accounts.get(request.params["account"])
        if account is None:
            raise Refusal(404, "There is no such account here.")
        return account

    def _instance(self, account: CodeScreenAccount, request: Request) -> Instance:
        instance = account.instances.get(request.params["instance"])
        if instance is None or instance.deleted_at is not None:
            raise Refusal(404, "There is no such candidate.")
        return instance


def _verdict(request: Request) -> Json:
    score = request.field("score")
    verdict: Json = {name: request.field(name) or None for name in ("result", "reason")}
    if score:
        verdict["score"] = int(score) if score.isascii() and score.isdigit() else score
    return verdict


def _row(instance: Instance) -> Json:
    return {
        "id": instance.id,
        "name": instance.name,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "status": {"not_started": "Not started", "in_progress": "In progress", "submitted": "Submitted"}.get(
            instance.phase, "Complete"
        ),
        "score": "" if instance.score is None else str(instance.score),
        "result": instance.result or "",
        "reason": instance.reason or "",
        "tone": {"Passed": "good", "Failed": "bad", "Expired": "bad"}.get(instance.result or "", ""),
        "bounced": instance.bounced,
        "sent": when(instance.sent_at),
        "attempt": instance.attempt,
    }


def _back(path: str, done: str = "", problem: str = "") -> Response:
    said = {key: value for key, value in (("done", done), ("problem", problem)) if value}
    return redirect(f"{path}?{urlencode(said)}")
