"""The pretend Lever as a whole: its accounts, loaded from JSON, its grants and its sender of webhooks."""

from urllib.parse import urlsplit

from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import LeverAccount, LeverSettings
from portal.devtools.sandbox.lever.grants import Client, Grants
from portal.devtools.sandbox.lever.records import (
    ArchiveReason,
    Contact,
    FeedbackTemplate,
    Opportunity,
    Posting,
    Stage,
    User,
    build_fields,
)
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.seed import lever_account
from portal.devtools.sandbox.values import JsonObject, now_ms, pick, stable_id, text_list
from portal.devtools.sandbox.webhook_sender import WebhookSender

MAX_GENERATED = 100_000


def build_account(slug: str, document: JsonObject, sender: WebhookSender) -> LeverAccount:
    """Return an account as a seed document describes it; what it leaves out is as in the default seed."""
    name = pick(document, "name", str, slug.title())
    document = lever_account(slug, name) | document
    settings = LeverSettings()
    settings.update(pick(document, "settings", dict, {}))
    account = LeverAccount(slug, name, sender, settings)
    now = now_ms()
    for index, item in enumerate(document["users"]):
        account.users[item["id"]] = User(
            item["id"],
            item["name"],
            pick(item, "email", str, ""),
            pick(item, "role", str, "team member"),
            now + index,
            None if item.get("active", True) else now,
        )
    for item in document["stages"]:
        account.stages[item["id"]] = Stage(item["id"], item["text"])
    for item in document["archive_reasons"]:
        reason = ArchiveReason(item["id"], item["text"], pick(item, "type", str, "non-hired"))
        account.archive_reasons[reason.id] = reason
    for index, item in enumerate(document["postings"]):
        _add_posting(account, item, now + index)
    fields = build_fields([{"type": "score-system", "text": "Rating"}, {"type": "textarea", "text": "Notes"}])
    template = FeedbackTemplate(stable_id(slug, "template", "Phone screen"), "Phone screen", "", fields)
    account.templates[template.id] = template
    for index, item in enumerate(document["candidates"]):
        add_candidate(account, item, now + index)
    return account


def add_candidate(account: LeverAccount, item: JsonObject, created_at: int) -> Opportunity:
    """Add a candidate, without an event; one whose contact exists becomes another opportunity of that person."""
    word = pick(item, "name", str, "Candidate")
    contact_id = pick(item, "contact", str, stable_id(account.slug, "contact", word))
    if contact_id not in account.contacts:
        account.contacts[contact_id] = Contact(
            contact_id,
            word,
            text_list(item.get("emails")),
            text_list(item.get("links")),
            pick(item, "anonymized", bool, False),
            created_at,
        )
    stage = account.find_stage(pick(item, "stage", str, "applicant-new"))
    if stage is None:
        raise HttpError(400, f"unknown stage {item['stage']}")
    posting = account.find_posting(pick(item, "posting", str, ""))
    owner = account.super_admin()
    reason = item.get("archived")
    opportunity = Opportunity(
        pick(item, "id", str, stable_id(account.slug, "opportunity", word)),
        contact_id,
        stage.id,
        tags=text_list(item.get("tags")),
        origin=pick(item, "origin", str, "applied"),
        owner=pick(item, "owner", str, owner.id if owner else None),
        followers=text_list(item.get("followers")),
        interviewers=text_list(item.get("interviewers")),
        posting_id=posting.id if posting else None,
        confidentiality=pick(item, "confidentiality", str, "non-confidential"),
        archived={"reason": reason, "archivedAt": created_at} if reason else None,
        data_protection=item.get("data_protection"),
        created_at=created_at,
        updated_at=created_at,
    )
    opportunity.application_id = stable_id(account.slug, "application", opportunity.id)
    account.add_opportunity(opportunity)
    candidacies.record_stage(account, opportunity, None)
    return opportunity


def generate(account: LeverAccount, document: JsonObject) -> list[str]:
    """Make candidates in bulk and return their opportunities' ids, the same ids for the same prefix."""
    count = pick(document, "count", int, 0)
    if not 0 < count <= MAX_GENERATED:
        raise HttpError(400, f"count must be between 1 and {MAX_GENERATED}")
    prefix = pick(document, "prefix", str, "Candidate")
    slug, now, made = account.slug, now_ms(), []
    if stable_id(slug, "opportunity", f"{prefix} 00001") in account.opportunities:
        raise HttpError(400, f"candidates with the prefix {prefix} exist already; give another prefix")
    for number in range(1, count + 1):
        name = f"{prefix} {number:05d}"
        address = f"{prefix.lower().replace(' ', '-')}-{number:05d}@candidates.example"
        item = {"name": name, "emails": [address], "id": stable_id(slug, "opportunity", name)}
        item |= {key: document[key] for key in ("stage", "posting", "tags", "origin") if key in document}
        made.append(add_candidate(account, item, now + number).id)
    return made


def _add_posting(account: LeverAccount, item: JsonObject, created_at: int) -> None:
    owner = account.super_admin()
    posting = Posting(
        pick(item, "id", str, stable_id(account.slug, "posting", item["text"])),
        item["text"],
        pick(item, "owner", str, owner.id if owner else None),
        pick(item, "hiring_manager", str, None),
        text_list(item.get("tags")),
        pick(item, "state", str, "published"),
        pick(item, "confidentiality", str, "non-confidential"),
        department=pick(item, "department", str, "Technology"),
        team=pick(item, "team", str, "Engineering"),
        created_at=created_at,
        updated_at=created_at,
    )
    account.postings[posting.id] = posting


class LeverPlatform:
    """What every endpoint of the pretend Lever works on."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self.sender = WebhookSender("Lever-Webhooks", timeout=5, obeys_answers=False)
        self.accounts: dict[str, LeverAccount] = {}
        self.grants = Grants(f"{url}/", f"{url}/v1/", client)
        address = urlsplit(url)
        hosts = {address.netloc.rpartition(":")[0], "127.0.0.1", "localhost"}
        self.audiences = {f"http://{host}:{address.port}/v1/" for host in hosts}

    def add_account(self, slug: str, document: JsonObject) -> LeverAccount:
        """Add an account, or replace the one of that slug and with it its grants."""
        account = build_account(slug, document, self.sender)
        self.grants.revoke(slug)
        self.accounts[slug] = account
        return account
