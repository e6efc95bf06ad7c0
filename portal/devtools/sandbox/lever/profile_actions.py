"""What the buttons on a profile do; each returns a word about what happened."""

from portal.devtools.sandbox.http import Request
from portal.devtools.sandbox.ids import new_id, now_ms
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.api_notes import comment
from portal.devtools.sandbox.lever.state import Note, Opportunity


def _move(account: LeverAccount, item: Opportunity, request: Request) -> str:
    stage = account.find_stage(request.field("stage"))
    if stage is None:
        return ""
    moved = moves.change_stage(account, item, stage.id, account.actor())
    return f"Moved to {stage.text}." if moved else f"Already in {stage.text}."


def _tag(account: LeverAccount, item: Opportunity, request: Request) -> str:
    moves.add_tags(account, item, [request.field("tag")] if request.field("tag") else [])
    return "Tag added."


def _untag(account: LeverAccount, item: Opportunity, request: Request) -> str:
    moves.remove_tags(account, item, [request.field("tag")])
    return "Tag removed."


def _link(account: LeverAccount, item: Opportunity, request: Request) -> str:
    add = [request.field("link")] if request.field("link") else []
    moves.change_links(account, account.contact_of(item), add=add, remove=[])
    return "Link added."


def _leave_note(account: LeverAccount, item: Opportunity, request: Request) -> str:
    if not request.field("value"):
        return ""
    user = account.actor()
    note = Note(new_id(), user, [comment(item, user, request.field("value"), now_ms(), None)], by_api=False)
    item.notes[note.id] = note
    item.touch()
    return "Note added."


def _archive(account: LeverAccount, item: Opportunity, request: Request) -> str:
    if request.field("reason") not in account.archive_reasons:
        return ""
    moves.set_archived(account, item, request.field("reason"))
    return "Archived."


def _unarchive(account: LeverAccount, item: Opportunity, _request: Request) -> str:
    moves.set_archived(account, item, None)
    return "Back from the archive."


def _anonymize(account: LeverAccount, item: Opportunity, _request: Request) -> str:
    moves.anonymize(account, account.contact_of(item))
    return "Anonymized."


def _delete(account: LeverAccount, item: Opportunity, _request: Request) -> str:
    moves.delete(account, item, account.actor())
    return "Deleted."


ACTIONS = {
    "stage": _move,
    "tag": _tag,
    "untag": _untag,
    "link": _link,
    "note": _leave_note,
    "archive": _archive,
    "unarchive": _unarchive,
    "anonymize": _anonymize,
    "delete": _delete,
}
