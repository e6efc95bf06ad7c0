"""What the pages share: their account, and rows of their tables."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import AccountPages
from portal.devtools.sandbox.lever.account import EVENT_LABELS, LeverAccount
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.lever.records import Feedback, Note, Opportunity
from portal.devtools.sandbox.messages import HttpError, Request, Response
from portal.devtools.sandbox.values import JsonObject, readable
from portal.devtools.sandbox.webhook_sender import Delivery

ACCOUNT_COOKIE = "lever_account"


class LeverPages(AccountPages[LeverAccount]):
    """A group of the pretend Lever's pages."""

    folder: ClassVar[str] = "lever"

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts)
        self._platform = platform

    def frame(self, request: Request, account: LeverAccount) -> dict[str, object]:
        """Return what the frame around every page shows."""
        return super().frame(request, account) | {"signed_in": account.super_admin()}

    def signed_in(self, request: Request) -> LeverAccount:
        """Return the account that the browser is signed in to, else the first. Raises HttpError where there is none."""
        accounts = self._platform.accounts
        account = accounts.get(signed_in_slug(request)) or next(iter(accounts.values()), None)
        if not account:
            raise HttpError(404, "There is no account here yet.")
        return account


def sign_in(response: Response, account: LeverAccount) -> Response:
    """Remember in the browser which account it is signed in to."""
    response.set_cookie(ACCOUNT_COOKIE, account.slug, httponly=True, samesite="Lax")
    return response


def signed_in_slug(request: Request) -> str:
    """Return the slug of the account a browser is signed in to, or an empty string."""
    return request.cookies.get(ACCOUNT_COOKIE, "")


NO_USER = "an integration"

type Row = dict[str, object]


def opportunity_row(account: LeverAccount, opportunity: Opportunity) -> Row:
    """Return a row of the candidate list."""
    forms = [feedback_row(account, form) for form in opportunity.feedback.values() if form.deleted_at is None]
    return {
        "id": opportunity.id,
        "contact": account.contact_of(opportunity),
        "stage": account.stages[opportunity.stage],
        "posting": account.postings.get(opportunity.posting_id or ""),
        "tags": [tag for tag in opportunity.tags if tag.casefold().startswith("codescreen")],
        "archived": opportunity.archived,
        "confidential": opportunity.confidentiality == "confidential",
        "changed": readable(opportunity.updated_at),
        **_last_rating(forms),
        "feedback": len(forms),
        "notes": len(opportunity.notes),
    }


def _last_rating(forms: list[Row]) -> Row:
    """Return the rating of the latest feedback that has one, and whether it speaks for the candidate."""
    rated = [form for form in forms if form["rating"]]
    rating = rated[-1]["rating"] if rated else ""
    text = rated[-1]["rating_text"] if rated else ""
    return {"rating": rating, "rating_text": text, "tone": "good" if rating in ("3", "4") else "bad"}


def change_row(account: LeverAccount, change: JsonObject) -> Row:
    """Return a row of the stage history."""
    stage = account.stages.get(change["toStageId"])
    return {
        "stage": stage.text if stage else change["toStageId"],
        "at": readable(change["updatedAt"]),
        "user": (account.user_name(change["userId"]) or NO_USER) if "userId" in change else "",
    }


def note_row(account: LeverAccount, note: Note) -> Row:
    """Return a note with its comments."""
    comments = [entry | {"at": readable(entry["createdAt"])} for entry in note.comments]
    return {
        "id": note.id,
        "user": account.user_name(note.user) or NO_USER,
        "comments": comments,
        "by_api": note.by_api,
    }


def feedback_row(account: LeverAccount, form: Feedback) -> Row:
    """Return a feedback form, its rating set apart."""
    rating = next((field for field in form.fields if field["type"] == "score-system"), None)
    rating_text = str(rating["value"] or "") if rating else ""
    return {
        "text": form.text,
        "user": account.user_name(form.user) or NO_USER,
        "at": readable(form.completed_at),
        "updated": readable(form.updated_at),
        "deleted": readable(form.deleted_at),
        "rating": rating_text.partition(" ")[0],
        "rating_text": rating_text,
        "fields": [field for field in form.fields if field is not rating],
    }


def delivery_row(account: LeverAccount, delivery: Delivery) -> Row:
    """Return a row of the delivery history."""
    opportunity = account.opportunities.get(delivery.subject)
    return {
        "id": delivery.id,
        "label": EVENT_LABELS.get(delivery.event, delivery.event),
        "candidate": account.contact_of(opportunity).name if opportunity else "",
        "opportunity": delivery.subject if opportunity else "",
        "url": delivery.url,
        "at": readable(delivery.created_at),
        "state": delivery.state,
        "attempts": [
            {"at": readable(attempt.at), "answer": attempt.status or attempt.error, "ok": attempt.succeeded}
            for attempt in delivery.attempts
        ],
    }
