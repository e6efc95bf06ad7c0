"""The pages of the pretend CodeScreen: candidates, reports and settings."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import SHOWN, AccountPages
from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.state import REASONS, CodeScreenAccount, Phase
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect


class CodeScreenPages(AccountPages[CodeScreenAccount]):
    """The pages of a company's people; their buttons act through `CodeScreenControl`."""

    folder: ClassVar[str] = "codescreen"

    def __init__(self, platform: CodeScreenPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            Route("GET", "/", self.home),
            self.route("GET", "/candidates", self.candidates),
            self.route("GET", "/candidates/<instance>", self.candidate),
            Route("GET", "/client-result/1/<first>/<second>", self.report),
            self.route("GET", "/settings", self.settings),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the first account."""
        return redirect(f"/{next(iter(self._accounts))}/candidates")

    def candidates(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the candidates, the latest first."""
        everyone = [one for one in reversed(account.instances.values()) if one.deleted_at is None]
        shown = everyone[:SHOWN]
        return self.show(request, account, "candidates.html", "candidates", rows=shown, total=len(everyone))

    def candidate(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show one candidate: the log, and the steps that are possible now."""
        instance = account.instances.get(request.path_params["instance"])
        if instance is None or instance.deleted_at is not None:
            raise HttpError(404, "There is no such candidate.")
        self._platform.journey.expire_if_overdue(account, instance)
        report = self._platform.report_url(instance) if instance.phase is Phase.COMPLETE else ""
        context = {"one": instance, "report": report, "reasons": REASONS}
        return self.show(request, account, "candidate.html", "candidates", **context)

    def report(self, request: Request) -> Response:
        """Show the report of a completed assessment."""
        found = self._platform.find_report(request.path_params["first"], request.path_params["second"])
        if found is None or found[1].deleted_at is not None or found[1].phase is not Phase.COMPLETE:
            raise HttpError(404, "There is no report here.")
        account, instance = found
        with account.lock:
            return self.show(request, account, "report.html", "candidates", one=instance)

    def settings(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the key, whether results are stated, and the webhook."""
        return self.show(request, account, "settings.html", "settings")
