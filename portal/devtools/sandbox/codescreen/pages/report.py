"""The report that a result's link opens."""

from portal.devtools.sandbox.codescreen.pages.base import CodeScreenPages, instance_row
from portal.devtools.sandbox.codescreen.state import Phase
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.times import readable


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
