"""The pages of the pretend CodeScreen: candidates, reports and settings."""

from collections.abc import Mapping
from typing import ClassVar

from portal.devtools.sandbox.accounts import SHOWN, AccountPages
from portal.devtools.sandbox.codescreen.platform import GRADING, STEPS, CodeScreenPlatform, Step
from portal.devtools.sandbox.codescreen.state import (
    REASONS,
    RESULTS,
    CodeScreenAccount,
    Instance,
    Phase,
)
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import JsonObject, readable

STATING = {"on": "stated", "off": "not stated"}


def _options(texts: Mapping[str, str]) -> list[JsonObject]:
    return [{"id": name, "text": text} for name, text in texts.items()]


def _buttons(one: Instance, steps: Mapping[str, Step]) -> dict[str, str]:
    """Return the labels of the steps that are possible now, by their names."""
    return {name: step.label for name, step in steps.items() if one.phase in step.phases}


def _facts(one: Instance) -> dict[str, object]:
    """Return what the pages say of an instance, by its name."""
    bounced = "; the e-mail bounced" if one.bounced else ""
    facts: dict[str, object] = {"Status": one.label + bounced, "Result": one.result, "Reason": one.reason}
    facts |= {"Score": one.score, "Unit tests passed": one.tests_passed, "Attempt": one.attempt}
    times = {"Sent": one.sent_at, "Start by": one.start_by, "Started": one.started_at}
    times |= {"Finish by": one.finish_by, "Submitted": one.submitted_at, "Evaluated": one.evaluated_at}
    return facts | {name: readable(at) for name, at in times.items()}


class CodeScreenPages(AccountPages[CodeScreenAccount]):
    """The pages of a company's people; their buttons act through `CodeScreenControl`."""

    folder: ClassVar = "codescreen"
    brand: ClassVar = "CodeScreen sandbox"
    notice: ClassVar = "A pretend CodeScreen for trying things out. No e-mail leaves this page."
    tabs: ClassVar = {"candidates": "Candidates", "settings": "Settings"}

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
        self._platform.expire_if_overdue(account, instance)
        is_complete = instance.phase is Phase.COMPLETE
        context = {
            "one": instance,
            "facts": {"E-mail": instance.email, "Instance id": instance.id} | _facts(instance),
            "steps": _buttons(instance, STEPS),
            "grading": _buttons(instance, GRADING),
            "report": self._platform.report_url(instance) if is_complete else "",
            "results": _options({result: result for result in RESULTS}),
            "reasons": _options({reason: reason for reason in REASONS}),
            "score": instance.score if is_complete else 82 if instance.assessment.unit_tests else None,
            "result": instance.result if is_complete else "Passed",
        }
        return self.show(request, account, "candidate.html", "candidates", **context)

    def report(self, request: Request) -> Response:
        """Show the report of a completed assessment."""
        found = self._platform.find_report(request.path_params["first"], request.path_params["second"])
        if found is None or found[1].deleted_at is not None or found[1].phase is not Phase.COMPLETE:
            raise HttpError(404, "There is no report here.")
        account, instance = found
        with account.lock:
            context = {"one": instance, "facts": _facts(instance)}
            return self.show(request, account, "report.html", "candidates", **context)

    def settings(self, request: Request, account: CodeScreenAccount) -> Response:
        """Show the key, whether results are stated, and the webhook."""
        return self.show(request, account, "settings.html", "settings", stating=_options(STATING))
