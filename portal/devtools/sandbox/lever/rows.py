"""What the templates show of candidates: rows of plain values."""

from portal.devtools.sandbox.ids import Json, when
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.state import Feedback, Note, Opportunity


def row(account: LeverAccount, item: Opportunity) -> Json:
    """Return a line of the candidate list."""
    posting = account.postings.get(item.posting_id or "")
    return {
        "id": item.id,
        "contact": account.contact_of(item),
        "stage": account.stages[item.stage],
        "posting": posting,
        "tags": [tag for tag in item.tags if tag.casefold().startswith("codescreen")],
        "archived": item.archived,
        "confidential": item.confidentiality == "confidential",
        "changed": when(item.updated_at),
    }


def _who(account: LeverAccount, user_id: str | None) -> str:
    user = account.users.get(user_id or "")
    return user.name if user else "an integration"


def change_row(account: LeverAccount, change: Json) -> Json:
    """Return a line of the stage history."""
    stage = account.stages.get(change["toStageId"])
    who = _who(account, change["userId"]) if "userId" in change else ""
    return {
        "stage": stage.text if stage else change["toStageId"],
        "at": when(change["updatedAt"]),
        "who": who,
    }


def note_row(account: LeverAccount, note: Note) -> Json:
    """Return a note with its comments."""
    comments = [entry | {"at": when(entry["createdAt"])} for entry in note.comments]
    return {"id": note.id, "who": _who(account, note.user), "comments": comments, "by_api": note.by_api}


def feedback_row(account: LeverAccount, form: Feedback) -> Json:
    """Return a feedback entry, its rating set apart."""
    rating = next((field for field in form.fields if field["type"] == "score-system"), None)
    value = str(rating["value"] or "") if rating else ""
    return {
        "text": form.text,
        "who": _who(account, form.user),
        "at": when(form.completed_at),
        "updated": when(form.updated_at),
        "deleted": when(form.deleted_at),
        "rating": value.partition(" ")[0],
        "rating_text": value,
        "fields": [field for field in form.fields if field is not rating],
    }
