"""The candidate list with its Stage button, and the profile of an opportunity."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from portal.devtools.sandbox.http import Refusal, Request, Response, redirect
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.pages_common import ACCOUNT_COOKIE, Pages, sign_in
from portal.devtools.sandbox.lever.profile_actions import ACTIONS
from portal.devtools.sandbox.lever.rows import change_row, feedback_row, note_row, row
from portal.devtools.sandbox.lever.state import Opportunity

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox

PAGE_SIZE = 100


class CandidatePages(Pages):
    """Where a recruiter works."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        add = server.router.add
        add("GET", "/", self.home)
        add("GET", "/<account>", self.account_home)
        add("GET", "/<account>/candidates", self.candidates)
        add("POST", "/<account>/candidates/stage", self.move_selected)
        add("GET", "/<account>/candidates/<opportunity>", self.profile)
        add("POST", "/<account>/candidates/<opportunity>/<action>", self.change)

    def home(self, request: Request) -> Response:
        """Lead to the account the browser is signed in to, else to the first."""
        first = next(iter(self.server.accounts.values()), None)
        account = self.server.account(request.cookie(ACCOUNT_COOKIE)) or first
        if not account:
            raise Refusal(404, "There is no account here yet.")
        return redirect(f"/{account.slug}/candidates")

    def account_home(self, request: Request) -> Response:
        """Sign in to the account, and lead to its candidates."""
        account = self.account(request)
        return sign_in(redirect(f"/{account.slug}/candidates"), account)

    def candidates(self, request: Request) -> Response:
        """Show the candidates, of one stage if asked."""
        account = self.account(request)
        stage, words = request.arg("stage"), request.arg("q").strip().casefold()
        archived = request.arg("archived") == "true"
        number = max(1, int(request.arg("page"))) if request.arg("page").isdecimal() else 1
        with account.lock:
            everyone = account.in_stages([stage]) if stage else list(account.opportunities.values())
            chosen = [
                item
                for item in everyone
                if (item.archived is not None) == archived and (not words or _mentions(account, item, words))
            ]
            chosen.sort(key=lambda item: (account.rank(item.stage), item.created_at, item.id))
            start = (number - 1) * PAGE_SIZE
            rows = [row(account, item) for item in chosen[start : start + PAGE_SIZE]]
            counts = [
                (item, sum(1 for one in account.by_stage[item.id].values() if one.archived is None))
                for item in account.stages.values()
            ]
            return self.show(
                request,
                "candidates.html",
                "candidates",
                rows=rows,
                total=len(chosen),
                counts=counts,
                stage=stage,
                q=request.arg("q"),
                archived=archived,
                page=number,
                everyone=request.arg("select") == "all",
                previous_page=number - 1,
                next_page=number + 1 if start + PAGE_SIZE < len(chosen) else 0,
            )

    def move_selected(self, request: Request) -> Response:
        """Move every checked candidate to the chosen stage."""
        account = self.account(request)
        here = f"/{account.slug}/candidates"
        if request.field("filter"):
            here += f"?stage={quote(request.field('filter'))}"
        with account.lock:
            stage = account.find_stage(request.field("stage"))
            items = [account.opportunities.get(name) for name in request.form.get("opportunity", [])]
            if stage is None or not items:
                return self.back(here, problem="Select at least one candidate and choose a stage.")
            moved = sum(
                moves.change_stage(account, item, stage.id, account.actor())
                for item in items
                if item is not None
            )
        people = "1 candidate" if moved == 1 else f"{moved} candidates"
        return self.back(here, done=f"Moved {people} to {stage.text}.")

    def profile(self, request: Request) -> Response:
        """Show everything about one opportunity."""
        account = self.account(request)
        with account.lock:
            item = self._opportunity(account, request)
            contact = account.contact_of(item)
            others = [other for other in account.by_contact[contact.id].values() if other is not item]
            return self.show(
                request,
                "profile.html",
                "candidates",
                row=row(account, item),
                item=item,
                contact=contact,
                others=[row(account, other) for other in others],
                tags=[(tag, tag in item.inherited) for tag in item.tags],
                feedback=[feedback_row(account, form) for form in item.feedback.values()],
                notes=[note_row(account, note) for note in item.notes.values()],
                history=[change_row(account, change) for change in item.stage_changes],
                reasons=account.archive_reasons.values(),
                files=item.files.values(),
            )

    def change(self, request: Request) -> Response:
        """Do what one of the profile's buttons says."""
        account = self.account(request)
        action = ACTIONS.get(request.params["action"])
        if action is None:
            raise Refusal(404, "There is no such action.")
        with account.lock:
            item = self._opportunity(account, request)
            said = action(account, item, request)
        if item.deleted_at is not None:
            return self.back(f"/{account.slug}/candidates", done=said)
        return self.back(f"/{account.slug}/candidates/{item.id}", done=said)

    def _opportunity(self, account: LeverAccount, request: Request) -> Opportunity:
        item = account.opportunities.get(request.params["opportunity"])
        if item is None:
            raise Refusal(404, "There is no such candidate.")
        return item


def _mentions(account: LeverAccount, item: Opportunity, words: str) -> bool:
    contact = account.contact_of(item)
    return any(words in text.casefold() for text in (contact.name, *contact.emails, *item.tags))
