"""The postings and their tags."""

from typing import TYPE_CHECKING

from portal.devtools.sandbox.http import Refusal, Request, Response
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.pages_common import Pages
from portal.devtools.sandbox.lever.rows import row
from portal.devtools.sandbox.lever.state import Posting

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox

SHOWN = 100


class PostingPages(Pages):
    """Where an assessment is tied to a job, by a tag."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        add = server.router.add
        add("GET", "/<account>/postings", self.postings)
        add("GET", "/<account>/postings/<posting>", self.posting)
        add("POST", "/<account>/postings/<posting>/tags", self.change_posting_tags)

    def postings(self, request: Request) -> Response:
        """Show the postings."""
        account = self.account(request)
        with account.lock:
            rows = [(posting, len(account.by_posting[posting.id])) for posting in account.postings.values()]
            return self.show(request, "postings.html", "postings", rows=rows)

    def posting(self, request: Request) -> Response:
        """Show one posting with its tags."""
        account = self.account(request)
        with account.lock:
            posting = self._posting(account, request)
            rows = [row(account, item) for item in list(account.by_posting[posting.id].values())[:SHOWN]]
            return self.show(
                request,
                "posting.html",
                "postings",
                posting=posting,
                rows=rows,
                total=len(account.by_posting[posting.id]),
                owner=account.users.get(posting.owner or ""),
            )

    def change_posting_tags(self, request: Request) -> Response:
        """Add or remove a tag on a posting."""
        account = self.account(request)
        add, remove = request.field("add"), request.field("remove")
        with account.lock:
            posting = self._posting(account, request)
            if add:
                moves.tag_posting(account, posting, add)
            if remove:
                moves.untag_posting(account, posting, remove)
        said = f"Added the tag {add}." if add else f"Removed the tag {remove}." if remove else ""
        return self.back(f"/{account.slug}/postings/{posting.id}", done=said)

    def _posting(self, account: LeverAccount, request: Request) -> Posting:
        posting = account.postings.get(request.params["posting"])
        if posting is None:
            raise Refusal(404, "There is no such posting.")
        return posting
