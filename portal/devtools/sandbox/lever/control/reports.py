"""What the control API reports about a Lever account."""

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.feedback import Feedback
from portal.devtools.sandbox.lever.state.opportunity import Opportunity


def account_summary(account: LeverAccount) -> JsonObject:
    """Return what an account holds, ids included."""
    return {
        "account": account.slug,
        "name": account.name,
        "id": account.id,
        "users": [
            {"id": u.id, "name": u.name, "role": u.role, "active": u.deactivated_at is None}
            for u in account.users.values()
        ],
        "stages": [{"id": stage.id, "text": stage.text} for stage in account.stages.values()],
        "archive_reasons": [
            {"id": r.id, "text": r.text, "type": r.type} for r in account.archive_reasons.values()
        ],
        "postings": [{"id": p.id, "text": p.text, "tags": p.tags} for p in account.postings.values()],
        "templates": [{"id": t.id, "text": t.text} for t in account.templates.values()],
        "opportunities": len(account.opportunities),
        "opportunities_by_stage": {stage: len(items) for stage, items in account.by_stage.items() if items},
        "candidates": [_candidate(account, item) for item in list(account.opportunities.values())[:200]],
        "webhooks": [
            {"id": w.id, "event": w.event, "url": w.url, "by_api": w.by_api}
            for w in account.events.webhooks.values()
        ],
        "events_enabled": sorted(account.events.enabled),
        "settings": account.settings.describe(),
    }


def account_ledger(account: LeverAccount) -> JsonObject:
    """Return what happened in an account."""
    everyone = [*account.opportunities.values(), *account.deleted.values()]
    return {
        "opportunities": {item.id: _entry(account, item) for item in everyone},
        "calls": account.ledger.describe_calls(),
        "rate_limited": account.ledger.calls_with_status(429),
        "deliveries": [delivery.describe() for delivery in account.events.deliveries],
        "webhooks_lost": account.events.lost,
        "other_faults": account.ledger.other_faults(item.id for item in everyone),
    }


def _candidate(account: LeverAccount, item: Opportunity) -> JsonObject:
    contact = account.contact_of(item)
    return {
        "id": item.id,
        "contact": contact.id,
        "name": contact.name,
        "emails": contact.emails,
        "stage": item.stage,
        "posting": item.posting_id,
        "archived": item.archived is not None,
    }


def _entry(account: LeverAccount, item: Opportunity) -> JsonObject:
    live = [form for form in item.feedback.values() if form.deleted_at is None]
    contact = account.contact_of(item)
    entry: JsonObject = {
        "name": contact.name,
        "emails": contact.emails,
        "contact": item.contact_id,
        "stage": item.stage,
        "archived": item.archived is not None,
        "deleted": item.deleted_at is not None,
        "tags": list(item.tags),
        "links": list(contact.links),
        "notes": len(item.notes),
        "note_texts": [comment["value"] for note in item.notes.values() for comment in note.comments],
        "feedback": [_feedback(form) for form in live],
        "feedback_deleted": len(item.feedback) - len(live),
        "files": [file.name for file in item.files.values()],
        "posts": sum(item.writes.values()),
        "writes": dict(item.writes),
    }
    return entry | account.ledger.faults_of(item.id)


def _feedback(form: Feedback) -> JsonObject:
    return {
        "id": form.id,
        "text": form.text,
        "user": form.user,
        "fields": {field["text"]: field["value"] for field in form.fields},
        "created_at": form.created_at,
        "updated_at": form.updated_at,
    }
