"""The page where a recruiter adds a candidate by hand."""

from portal.devtools.sandbox.account_pages import back
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.behaviour.loading import new_opportunity
from portal.devtools.sandbox.lever.pages.base import LeverPages
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.people import canonical_email
from portal.devtools.sandbox.times import now_ms

FIRST_STAGE = "applicant-new"


class AddingPages(LeverPages):
    """The form for a new candidate."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/<account:account>/candidates/new"
        return [Route("GET", path, self.form), Route("POST", path, self.add)]

    def form(self, request: Request) -> Response:
        """Show the form."""
        account = self.account(request)
        with account.lock:
            return self.show(
                request,
                account,
                "new_candidate.html",
                "candidates",
                stages=list(account.stages.values()),
                postings=list(account.postings.values()),
                first_stage=FIRST_STAGE,
            )

    def add(self, request: Request) -> Response:
        """Add the candidate; one with the e-mail address of somebody here becomes another opportunity of theirs."""
        account = self.account(request)
        if not request.field("name"):
            return back(f"/{account.slug}/candidates/new", problem="A candidate needs a name.")
        with account.lock:
            stage = account.find_stage(request.field("stage") or FIRST_STAGE)
            if stage is None:
                return back(f"/{account.slug}/candidates/new", problem="There is no such stage.")
            opportunity = new_opportunity(account, _item(account, request, stage.id), now_ms())
            candidacies.create(account, opportunity)
            name = account.contact_of(opportunity).name
        return back(f"/{account.slug}/candidates/{opportunity.id}", done=f"Added {name} in {stage.text}.")


def _item(account: LeverAccount, request: Request, stage_id: str) -> JsonObject:
    """Return the form as a seed document of one candidate."""
    email = request.field("email")
    known = account.contact_by_email.get(canonical_email(email)) if email else None
    return {
        "id": new_id(),
        "contact": known.id if known else new_id(),
        "name": request.field("name"),
        "emails": [email] if email else [],
        "stage": stage_id,
        "posting": request.field("posting"),
        "tags": [tag for part in request.field("tags").split(",") if (tag := part.strip())],
    }
