"""The actions behind the buttons of a profile: each returns a sentence about what it did, empty when nothing."""

from collections.abc import Callable

from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.behaviour.comments import comment
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.opportunity import Note, Opportunity
from portal.devtools.sandbox.times import now_ms

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
