"""The candidate list with its Stage button, and the profile of an opportunity."""

from urllib.parse import quote, urlencode

from portal.devtools.sandbox.account_pages import back, page_number, page_of
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, redirect
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.pages.base import LeverPages, sign_in, signed_in_slug
from portal.devtools.sandbox.lever.pages.candidate_actions import ACTIONS
from portal.devtools.sandbox.lever.pages.rows import change_row, feedback_row, note_row, opportunity_row
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.opportunity import Opportunity

HEADINGS = ("Select", "Candidate", "Stage", "Posting", "CodeScreen tags", "Feedback", "Notes")


class CandidatePages(LeverPages):
    """The pages a recruiter works on."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        profile = "/<account:account>/candidates/<opportunity>"
        return [
            Route("GET", "/", self.home),
            Route("GET", "/candidates/<opportunity>", self.of_opportunity),
            Route("GET", "/<account:account>", self.account_home),
            Route("GET", "/<account:account>/candidates", self.candidates),
            Route("POST", "/<account:account>/candidates/stage", self.move_selected),
            Route("GET", profile, self.profile),
            Route("GET", f"{profile}/files/<file>", self.file),
            Route("POST", f"{profile}/<action>", self.change),
        ]

    def home(self, request: Request) -> Response:
        """Lead to the account the browser is signed in to, else to the first."""
        accounts = self._platform.accounts
        account = accounts.get(signed_in_slug(request)) or next(iter(accounts.values()), None)
        if not account:
            raise HttpError(404, "There is no account here yet.")
        return redirect(f"/{account.slug}/candidates")

    def of_opportunity(self, request: Request) -> Response:
        """Lead to an opportunity by its id alone, as Lever's own addresses name it."""
        wanted = request.path_params["opportunity"]
        for account in self._platform.accounts.values():
            if wanted in account.opportunities:
                return redirect(f"/{account.slug}/candidates/{wanted}")
        raise HttpError(404, "There is no such candidate.")

    def account_home(self, request: Request) -> Response:
        """Sign in to the account, and lead to its candidates."""
        account = self.account(request)
        return sign_in(redirect(f"/{account.slug}/candidates"), account)

    def candidates(self, request: Request) -> Response:
        """Show the candidates, of one stage if asked."""
        account = self.account(request)
        stage, query = request.args.get("stage", ""), request.args.get("q", "")
        archived = request.args.get("archived") == "true"
        number = page_number(request)
        with account.lock:
            everyone = account.in_stages([stage]) if stage else list(account.opportunities.values())
            words = query.strip().casefold()
            chosen = [
                item
                for item in everyone
                if (item.archived is not None) == archived and (not words or _mentions(account, item, words))
            ]
            chosen.sort(key=lambda item: (account.rank(item.stage), item.created_at, item.id))
            shown, links = page_of(chosen, number)
            counts = [
                (item, sum(1 for one in account.by_stage[item.id].values() if one.archived is None))
                for item in account.stages.values()
            ]
            return self.show_table(
                request,
                account,
                "candidates.html",
                "candidates",
                title="Candidates",
                headings=HEADINGS,
                rows=[opportunity_row(account, item) for item in shown],
                if_empty="Nobody here.",
                total=len(chosen),
                counts=counts,
                stage=stage,
                q=query,
                archived=archived,
                page=number,
                list_query=_list_query(stage, query, archived=archived),
                all_selected=request.args.get("select") == "all",
                links=links,
            )

    def move_selected(self, request: Request) -> Response:
        """Move every checked candidate to the chosen stage."""
        account = self.account(request)
        here = f"/{account.slug}/candidates"
        if request.field("filter"):
            here += f"?stage={quote(request.field('filter'))}"
        with account.lock:
            stage = account.find_stage(request.field("stage"))
            items = [account.opportunities.get(name) for name in request.form.getlist("opportunity")]
            if stage is None or not items:
                return back(here, problem="Select at least one candidate and choose a stage.")
            moved = sum(
                candidacies.change_stage(account, item, stage.id, account.actor())
                for item in items
                if item is not None
            )
        people = "1 candidate" if moved == 1 else f"{moved} candidates"
        return back(here, done=f"Moved {people} to {stage.text}.")

    def profile(self, request: Request) -> Response:
        """Show everything about one opportunity."""
        account = self.account(request)
        with account.lock:
            item = _opportunity(account, request)
            contact = account.contact_of(item)
            others = [other for other in account.by_contact[contact.id].values() if other is not item]
            return self.show(
                request,
                account,
                "profile.html",
                "candidates",
                row=opportunity_row(account, item),
                item=item,
                contact=contact,
                others=[opportunity_row(account, other) for other in others],
                tags=[(tag, tag in item.inherited) for tag in item.tags],
                feedback=[feedback_row(account, form) for form in item.feedback.values()],
                notes=[note_row(account, note) for note in item.notes.values()],
                history=[change_row(account, change) for change in item.stage_changes],
                reasons=account.archive_reasons.values(),
                files=item.files.values(),
            )

    def file(self, request: Request) -> Response:
        """Answer a file's content, for the browser to save."""
        account = self.account(request)
        with account.lock:
            file = _opportunity(account, request).files.get(request.path_params["file"])
            if file is None:
                raise HttpError(404, "There is no such file.")
            headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
            return Response(file.content, headers=headers, content_type=file.content_type)

    def change(self, request: Request) -> Response:
        """Perform the action of the profile's button that was pressed."""
        account = self.account(request)
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HttpError(404, "There is no such action.")
        with account.lock:
            item = _opportunity(account, request)
            done = action(account, item, request)
        if item.deleted_at is not None:
            return back(f"/{account.slug}/candidates", done=done)
        return back(f"/{account.slug}/candidates/{item.id}", done=done)


def _list_query(stage: str, query: str, *, archived: bool) -> str:
    """Return the query string that keeps a list's filters in links to its other pages."""
    filters = {"stage": stage, "q": query} | ({"archived": "true"} if archived else {})
    return f"{urlencode(filters)}&"


def _opportunity(account: LeverAccount, request: Request) -> Opportunity:
    opportunity = account.opportunities.get(request.path_params["opportunity"])
    if opportunity is None:
        raise HttpError(404, "There is no such candidate.")
    return opportunity


def _mentions(account: LeverAccount, opportunity: Opportunity, words: str) -> bool:
    contact = account.contact_of(opportunity)
    return any(words in text.casefold() for text in (contact.name, *contact.emails, *opportunity.tags))
