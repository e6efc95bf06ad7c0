"""What happens to opportunities, contacts and postings, and which events that sends."""

from dataclasses import replace
from itertools import chain
from threading import Timer

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.records import Contact, Opportunity
from portal.devtools.sandbox.values import JsonObject, now_ms

NEIGHBOUR_TAG = "CodeScreen: Candidate Invited"


def comment(opportunity: Opportunity, user: str | None, text: str, created_at: int) -> JsonObject:
    """Return one comment of a note, with the stage the opportunity is in."""
    return {
        "type": "note",
        "text": "Comment",
        "value": text,
        "createdAt": created_at,
        "user": user,
        "score": None,
        "stage": opportunity.stage,
    }


def event_data(opportunity: Opportunity) -> JsonObject:
    """Return the ids every event of an opportunity carries; no names, no addresses."""
    return {
        "opportunityId": opportunity.id,
        "candidateId": opportunity.id,
        "contactId": opportunity.contact_id,
    }


def record_stage(account: LeverAccount, opportunity: Opportunity, user: str | None) -> None:
    """Append the current stage to the opportunity's history."""
    change: JsonObject = {
        "toStageId": opportunity.stage,
        "toStageIndex": account.rank(opportunity.stage),
        "updatedAt": now_ms(),
    }
    if user:
        change["userId"] = user
    opportunity.stage_changes.append(change)


def as_read(account: LeverAccount, opportunity: Opportunity) -> Opportunity:
    """Return an opportunity as a read shows it: in the stage of `read_lag` seconds ago."""
    if not account.settings.read_lag or not opportunity.stage_changes:
        return opportunity
    until = now_ms() - account.settings.read_lag * 1000
    first, *later = opportunity.stage_changes
    shown = [first, *(change for change in later if change["updatedAt"] <= until)]
    return replace(opportunity, stage=shown[-1]["toStageId"], stage_changes=shown)


def change_stage(account: LeverAccount, opportunity: Opportunity, stage_id: str, user: str | None) -> bool:
    """Move an opportunity and return whether it moved; one that is there already sends no event."""
    from_stage = opportunity.stage
    if from_stage == stage_id:
        return False
    opportunity.stage = stage_id
    record_stage(account, opportunity, user)
    opportunity.mark_updated()
    extra = {"fromStageId": from_stage, "toStageId": stage_id}
    _emit(account, "candidateStageChange", opportunity, extra)
    if account.settings.neighbour and account.stages[stage_id].text.casefold().startswith("codescreen"):
        follower = Timer(account.settings.neighbour_ms / 1000, neighbour_invites, (account, opportunity))
        follower.daemon = True
        follower.start()
    return True


def neighbour_invites(account: LeverAccount, opportunity: Opportunity) -> None:
    """Let CodeScreen's own integration invite somebody, and tag them."""
    with account.lock:
        add_tags(opportunity, [NEIGHBOUR_TAG])


def set_archived(account: LeverAccount, opportunity: Opportunity, reason_id: str | None) -> None:
    """Archive an opportunity for a reason, or un-archive it with None."""
    before = opportunity.archived
    if reason_id is None:
        opportunity.archived = None
    else:
        opportunity.archived = {"reason": reason_id, "archivedAt": now_ms()}
    opportunity.mark_updated()
    if before == opportunity.archived:
        return
    extra = {"fromArchived": before, "toArchived": opportunity.archived}
    _emit(account, "candidateArchiveChange", opportunity, extra)
    reason = account.archive_reasons.get(reason_id or "")
    if reason is not None and reason.type == "hired":
        _emit(account, "candidateHired", opportunity, {})


def delete(account: LeverAccount, opportunity: Opportunity, user: str | None) -> None:
    """Delete an opportunity."""
    account.drop_opportunity(opportunity)
    opportunity.deleted_at = now_ms()
    _emit(account, "candidateDeleted", opportunity, {"deletedBy": user})


def anonymize(account: LeverAccount, contact: Contact) -> None:
    """Erase a contact's name, addresses and links; notes and feedback stay, as in Lever."""
    contact.name, contact.emails, contact.links = "Anonymized candidate", [], []
    contact.is_anonymized = True
    for opportunity in account.of_contact(contact):
        opportunity.mark_updated()


def known_tags(account: LeverAccount) -> set[str]:
    """Return the tags that an account has: those on an opportunity or a posting."""
    candidates, postings = account.opportunities.values(), account.postings.values()
    return set(chain.from_iterable([item.tags for item in candidates] + [item.tags for item in postings]))


def add_tags(opportunity: Opportunity, tags: list[str]) -> None:
    """Add the tags that aren't there yet, in order."""
    for tag in tags:
        if tag not in opportunity.tags:
            opportunity.tags.append(tag)
    opportunity.mark_updated()


def remove_tags(opportunity: Opportunity, tags: list[str]) -> None:
    """Remove the tags that are there."""
    for tag in tags:
        if tag in opportunity.tags:
            opportunity.tags.remove(tag)
    opportunity.mark_updated()


def add_links(account: LeverAccount, contact: Contact, links: list[str]) -> None:
    """Add links to a contact; every opportunity of the contact shows them."""
    contact.links += [link for link in dict.fromkeys(links) if link not in contact.links]
    for opportunity in account.of_contact(contact):
        opportunity.mark_updated()


def _emit(account: LeverAccount, event: str, opportunity: Opportunity, extra: JsonObject) -> None:
    data = event_data(opportunity) | extra
    account.events.emit(event, data, subject=opportunity.id)
