"""The candidate list with its Stage button, and the profile of an opportunity."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from portal.devtools.sandbox.accounts import back, page_number, page_of
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.candidacies import comment
from portal.devtools.sandbox.lever.pages.base import (
    LeverPages,
    change_row,
    feedback_row,
    note_row,
    opportunity_row,
    sign_in,
)
from portal.devtools.sandbox.lever.platform import new_opportunity
from portal.devtools.sandbox.lever.records import Note, Opportunity, canonical_email
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms

type Action = Callable[[LeverAccount, Opportunity, Request], str]


def _move(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    stage = account.find_stage(request.field("stage"))
    if stage is None:
        return ""
    moved = candidacies.change_stage(account, opportunity, stage.id, account.actor())
    return f"Moved to {stage.text}." if moved else f"Already in {stage.text}."


def _tag(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    candidacies.add_tags(account, opportunity, [request.field("tag")] if request.field("tag") else [])
    return "Tag added."


def _untag(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    candidacies.remove_tags(account, opportunity, [request.field("tag")])
    return "Tag removed."


def _link(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    links = [request.field("link")] if request.field("link") else []
    candidacies.add_links(account, account.contact_of(opportunity), links)
    return "Link added."


def _correct_email(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    address = request.field("email").strip()
    if "@" not in address:
        return ""
    account.set_emails(account.contact_of(opportunity), [address])
    opportunity.mark_updated()
    return "E-mail address corrected."


def _leave_note(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    text = request.field("value")
    if not text:
        return ""
    user = account.actor()
    note = Note(new_id(), user, [comment(opportunity, user, text, now_ms())], by_api=False)
    opportunity.notes[note.id] = note
    opportunity.mark_updated()
    return "Note added."


def _archive(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    if request.field("reason") not in account.archive_reasons:
        return ""
    candidacies.set_archived(account, opportunity, request.field("reason"))
    return "Archived."


def _unarchive(account: LeverAccount, opportunity: Opportunity, _request: Request) -> str:
    candidacies.set_archived(account, opportunity, None)
    return "Back from the archive."


def _anonymize(account: LeverAccount, opportunity: Opportunity, _request: Request) -> str:
    candidacies.anonymize(account, account.contact_of(opportunity))
    return "Anonymized."


def _delete(account: LeverAccount, opportunity: Opportunity, _request: Request) -> str:
    candidacies.delete(account, opportunity, account.actor())
    return "Deleted."


ACTIONS: dict[str, Action] = {
    "stage": _move,
    "tag": _tag,
    "untag": _untag,
    "link": _link,
    "email": _correct_email,
    "note": _leave_note,
    "archive": _archive,
    "unarchive": _unarchive,
    "anonymize": _anonymize,
    "delete": _delete,
}


HEADINGS = ("Select", "Candidate", "Stage", "Posting", "CodeScreen tags", "Feedback", "Notes")


class CandidatePages(LeverPages):
    """The pages a recruiter works on."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        profile = "/candidates/<opportunity>"
        return [
            Route("GET", "/", self.home),
            Route("GET", "/candidates/<opportunity>", self.of_opportunity),
            self.route("GET", "", self.account_home),
            self.route("GET", "/candidates", self.candidates),
            self.route("POST", "/candidates/stage", self.move_selected),
            self.route("GET", profile, self.profile),
            self.route("GET", f"{profile}/files/<file>", self.file),
            self.route("POST", f"{profile}/<action>", self.change),
        ]

    def home(self, request: Request) -> Response:
        """Lead to the account the browser is signed in to, else to the first."""
        return redirect(f"/{self.signed_in(request).slug}/candidates")

    def of_opportunity(self, request: Request) -> Response:
        """Lead to an opportunity by its id alone, as Lever's own addresses name it."""
        wanted = request.path_params["opportunity"]
        for account in self._platform.accounts.values():
            if wanted in account.opportunities:
                return redirect(f"/{account.slug}/candidates/{wanted}")
        raise HttpError(404, "There is no such candidate.")

    def account_home(self, request: Request, account: LeverAccount) -> Response:
        """Sign in to the account, and lead to its candidates."""
        return sign_in(redirect(f"/{account.slug}/candidates"), account)

    def candidates(self, request: Request, account: LeverAccount) -> Response:
        """Show the candidates, of one stage if asked."""
        stage, query = request.args.get("stage", ""), request.args.get("q", "")
        archived = request.args.get("archived") == "true"
        number = page_number(request)
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

    def move_selected(self, request: Request, account: LeverAccount) -> Response:
        """Move every checked candidate to the chosen stage."""
        here = f"/{account.slug}/candidates"
        if request.field("filter"):
            here += f"?stage={quote(request.field('filter'))}"
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

    def profile(self, request: Request, account: LeverAccount) -> Response:
        """Show everything about one opportunity."""
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

    def file(self, request: Request, account: LeverAccount) -> Response:
        """Answer a file's content, for the browser to save."""
        file = _opportunity(account, request).files.get(request.path_params["file"])
        if file is None:
            raise HttpError(404, "There is no such file.")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(file.content, headers=headers, content_type=file.content_type)

    def change(self, request: Request, account: LeverAccount) -> Response:
        """Perform the action of the profile's button that was pressed."""
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HttpError(404, "There is no such action.")
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


FIRST_STAGE = "applicant-new"


class AddingPages(LeverPages):
    """The form for a new candidate."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/candidates/new"
        return [self.route("GET", path, self.form), self.route("POST", path, self.add)]

    def form(self, request: Request, account: LeverAccount) -> Response:
        """Show the form."""
        return self.show(
            request,
            account,
            "new_candidate.html",
            "candidates",
            stages=list(account.stages.values()),
            postings=list(account.postings.values()),
            first_stage=FIRST_STAGE,
        )

    def add(self, request: Request, account: LeverAccount) -> Response:
        """Add the candidate; one with the e-mail address of somebody here becomes another opportunity of theirs."""
        if not request.field("name"):
            return back(f"/{account.slug}/candidates/new", problem="A candidate needs a name.")
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
