"""The candidate list with its Stage button, and the profile of an opportunity."""

from collections.abc import Callable
from urllib.parse import quote

from portal.devtools.sandbox.accounts import SHOWN, back
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.pages.base import LeverPages, sign_in
from portal.devtools.sandbox.lever.records import Feedback, Note, Opportunity
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import JsonObject, readable

NO_USER = "an integration"
GOOD_RATINGS = ("3", "4")

type Action = Callable[[LeverAccount, Opportunity, Request], str]
type Row = dict[str, object]


def _move(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    stage = account.find_stage(request.field("stage"))
    if stage is None:
        return ""
    moved = candidacies.change_stage(account, opportunity, stage.id, account.actor())
    return f"Moved to {stage.text}." if moved else f"Already in {stage.text}."


def _tag(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    candidacies.add_tags(opportunity, [request.field("tag")] if request.field("tag") else [])
    return "Tag added."


def _untag(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    candidacies.remove_tags(opportunity, [request.field("tag")])
    return "Tag removed."


def _correct_email(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    address = request.field("email")
    if "@" not in address:
        return ""
    account.set_emails(account.contact_of(opportunity), [address])
    opportunity.mark_updated()
    return "E-mail address corrected."


def _archive(account: LeverAccount, opportunity: Opportunity, request: Request) -> str:
    reason = request.field("reason")
    candidacies.set_archived(account, opportunity, reason if reason in account.archive_reasons else None)
    return "Archived." if opportunity.archived else "Back from the archive."


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
    "email": _correct_email,
    "archive": _archive,
    "anonymize": _anonymize,
    "delete": _delete,
}


class CandidatePages(LeverPages):
    """The pages a recruiter works on."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        profile = "/candidates/<opportunity>"
        return [
            Route("GET", "/", self.home),
            Route("GET", profile, self.of_opportunity),
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
        """Show the candidates, of one stage if asked; the archived ones last."""
        stage, query = request.args.get("stage", ""), request.args.get("q", "").strip()
        everyone = account.in_stages([stage]) if stage else account.opportunities.values()
        chosen = [item for item in everyone if _mentions(account, item, query.casefold())]
        chosen.sort(key=lambda one: (bool(one.archived), account.rank(one.stage), one.created_at, one.id))
        return self.show(
            request,
            account,
            "candidates.html",
            "candidates",
            rows=[opportunity_row(account, item) for item in chosen[:SHOWN]],
            total=len(chosen),
            counts=[(item, len(account.by_stage[item.id])) for item in account.stages.values()],
            stage=stage,
            q=query,
        )

    def move_selected(self, request: Request, account: LeverAccount) -> Response:
        """Move every checked candidate to the chosen stage."""
        here = f"/{account.slug}/candidates"
        if request.field("filter"):
            here += f"?stage={quote(request.field('filter'))}"
        stage = account.find_stage(request.field("stage"))
        names = request.form.getlist("opportunity")
        items = [account.opportunities[name] for name in names if name in account.opportunities]
        if stage is None or not items:
            return back(here, problem="Select at least one candidate and choose a stage.")
        moved = sum(candidacies.change_stage(account, item, stage.id, account.actor()) for item in items)
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
            feedback=[_feedback_row(account, form) for form in item.feedback.values()],
            notes=[_note_row(account, note) for note in item.notes.values()],
            history=[_change_row(account, change) for change in item.stage_changes],
            reasons=account.archive_reasons.values(),
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


def _opportunity(account: LeverAccount, request: Request) -> Opportunity:
    opportunity = account.opportunities.get(request.path_params["opportunity"])
    if opportunity is None:
        raise HttpError(404, "There is no such candidate.")
    return opportunity


def _mentions(account: LeverAccount, opportunity: Opportunity, words: str) -> bool:
    contact = account.contact_of(opportunity)
    return any(words in text.casefold() for text in (contact.name, *contact.emails, *opportunity.tags))


def opportunity_row(account: LeverAccount, opportunity: Opportunity) -> Row:
    """Return a row of the candidate list."""
    forms = [form for form in opportunity.feedback.values() if form.deleted_at is None]
    ratings = [rating for form in forms if (rating := _rating(form))]
    rating = ratings[-1][:1] if ratings else ""
    return {
        "id": opportunity.id,
        "contact": account.contact_of(opportunity),
        "stage": account.stages[opportunity.stage],
        "posting": account.postings.get(opportunity.posting_id or ""),
        "tags": [tag for tag in opportunity.tags if tag.casefold().startswith("codescreen")],
        "archived": opportunity.archived,
        "confidential": opportunity.confidentiality == "confidential",
        "rating": rating,
        "rating_text": ratings[-1] if ratings else "",
        "tone": "good" if rating in GOOD_RATINGS else "bad",
        "feedback": len(forms),
        "notes": len(opportunity.notes),
    }


def _rating(form: Feedback) -> str:
    return next((str(field["value"] or "") for field in form.fields if field["type"] == "score-system"), "")


def _change_row(account: LeverAccount, change: JsonObject) -> Row:
    stage = account.stages[change["toStageId"]]
    user = account.user_name(change.get("userId")) or NO_USER
    return {"stage": stage.text, "at": readable(change["updatedAt"]), "user": user}


def _note_row(account: LeverAccount, note: Note) -> Row:
    comments = [entry | {"at": readable(entry["createdAt"])} for entry in note.comments]
    return {"user": account.user_name(note.user) or NO_USER, "comments": comments}


def _feedback_row(account: LeverAccount, form: Feedback) -> Row:
    """Return a feedback form, its rating set apart."""
    rating = _rating(form)
    return {
        "text": form.text,
        "user": account.user_name(form.user) or NO_USER,
        "at": readable(form.completed_at),
        "updated": readable(form.updated_at),
        "deleted": readable(form.deleted_at),
        "rating": rating[:1],
        "rating_text": rating,
        "fields": [field for field in form.fields if field["type"] != "score-system"],
    }
