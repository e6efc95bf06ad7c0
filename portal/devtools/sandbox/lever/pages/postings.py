"""The postings and their tags."""

from portal.devtools.sandbox.account_pages import PAGE_SIZE, back
from portal.devtools.sandbox.http.messages import HttpError, Request, Response, Route
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.pages.base import LeverPages, opportunity_row
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.records import Posting


class PostingPages(LeverPages):
    """The pages where a tag ties an assessment to a job."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            Route("GET", "/<account:account>/postings", self.postings),
            Route("GET", "/<account:account>/postings/<posting>", self.posting),
            Route("POST", "/<account:account>/postings/<posting>/tags", self.change_tags),
        ]

    def postings(self, request: Request) -> Response:
        """Show the postings."""
        account = self.account(request)
        with account.lock:
            return self.show_table(
                request,
                account,
                "postings.html",
                "postings",
                title="Postings",
                headings=("Posting", "Team", "Tags", "Candidates"),
                rows=[
                    {"posting": posting, "candidates": len(account.by_posting[posting.id])}
                    for posting in account.postings.values()
                ],
                if_empty="No postings.",
            )

    def posting(self, request: Request) -> Response:
        """Show one posting with its tags."""
        account = self.account(request)
        with account.lock:
            posting = _posting(account, request)
            opportunities = list(account.by_posting[posting.id].values())
            return self.show(
                request,
                account,
                "posting.html",
                "postings",
                posting=posting,
                rows=[opportunity_row(account, item) for item in opportunities[:PAGE_SIZE]],
                total=len(opportunities),
                owner=account.users.get(posting.owner or ""),
            )

    def change_tags(self, request: Request) -> Response:
        """Add or remove a tag on a posting."""
        account = self.account(request)
        add, remove = request.field("add"), request.field("remove")
        with account.lock:
            posting = _posting(account, request)
            if add:
                candidacies.tag_posting(account, posting, add)
            if remove:
                candidacies.untag_posting(account, posting, remove)
        done = f"Added the tag {add}." if add else f"Removed the tag {remove}." if remove else ""
        return back(f"/{account.slug}/postings/{posting.id}", done=done)


def _posting(account: LeverAccount, request: Request) -> Posting:
    posting = account.postings.get(request.path_params["posting"])
    if posting is None:
        raise HttpError(404, "There is no such posting.")
    return posting
