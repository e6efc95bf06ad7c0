"""The accounts that the pretend Lever begins with, and how postings and candidates get into one."""

from typing import Any

from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import LeverAccount, LeverSettings
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
from portal.devtools.sandbox.values import now_ms, stable_id
from portal.devtools.sandbox.webhook_sender import WebhookSender

#: The words of an account's users, with their roles.
USERS = {
    "super-admin": "super admin",
    "admin": "admin",
    "recruiter": "team member",
    "sourcer": "team member",
    "hiring-manager": "limited team member",
    "former-recruiter": "team member",
    "interviewer": "interviewer",
    "former": "interviewer",
}
BUILT_IN_STAGES = {
    "lead-new": "New lead",
    "lead-reached-out": "Reached out",
    "lead-responded": "Responded",
    "applicant-new": "New applicant",
    "offer": "Offer",
}
CUSTOM_STAGES = ("Phone screen", "CodeScreen Assessment", "CodeScreen Take-home", "On-site interview")
ARCHIVE_REASONS = ("Hired", "Underqualified", "Withdrew", "Position closed")
NO_CONTACT = {
    "store": {"allowed": True, "expiresAt": None},
    "contact": {"allowed": False, "expiresAt": None},
}


def stage_id(slug: str, stage: str) -> str:
    """Return a stage's id: built-in ones have words for ids, the others UUIDs."""
    return stage if stage in BUILT_IN_STAGES else stable_id(slug, "stage", stage)


def new_account(slug: str, sender: WebhookSender) -> LeverAccount:
    """Return an account with its users, stages, archive reasons and a template, and nobody in it yet."""
    account, now = LeverAccount(slug, slug.title(), sender, LeverSettings()), now_ms()
    for index, (word, role) in enumerate(USERS.items()):
        name = f"{account.name} {word.replace('-', ' ').title()}"
        user = User(stable_id(slug, "user", word), name, f"{word}@{slug}.example", role, now + index)
        user.deactivated_at = now if word.startswith("former") else None
        account.users[user.id] = user
    *first, last = BUILT_IN_STAGES
    for stage in (*first, *CUSTOM_STAGES, last):
        made = Stage(stage_id(slug, stage), BUILT_IN_STAGES.get(stage, stage))
        account.stages[made.id] = made
    for text in ARCHIVE_REASONS:
        reason = ArchiveReason(stable_id(slug, "archive-reason", text), text)
        reason.type = "hired" if text == "Hired" else "non-hired"
        account.archive_reasons[reason.id] = reason
    fields = build_fields([{"type": "score-system", "text": "Rating"}, {"type": "textarea", "text": "Notes"}])
    template = FeedbackTemplate(stable_id(slug, "template", "Phone screen"), "Phone screen", "", fields)
    account.templates[template.id] = template
    return account


def add_posting(account: LeverAccount, text: str, *tags: str, **more: Any) -> None:
    """Add a posting of the account's Super Admin."""
    made = Posting(stable_id(account.slug, "posting", text), text, account.actor(), **more)
    made.tags, made.created_at = list(tags), now_ms() + len(account.postings)
    account.postings[made.id] = made


def add_candidate(
    account: LeverAccount,
    word: str,
    posting: str = "",
    *,
    name: str = "",
    emails: list[str] | None = None,
    stage: str = "applicant-new",
    same_as: str = "",
    **more: Any,
) -> Opportunity:
    """Add a candidate, without an event, known by a word; `same_as` is the word of another candidacy of the person."""
    slug, at = account.slug, now_ms() + len(account.opportunities)
    contact = Contact(stable_id(slug, "contact", same_as or word), name or f"Candidate {word}")
    contact.emails = [f"{word.lower()}@candidates.example"] if emails is None else emails
    contact = account.contacts.setdefault(contact.id, contact)
    found = account.find_posting(posting)
    opportunity = Opportunity(
        stable_id(slug, "opportunity", word),
        contact.id,
        stage,
        posting_id=found.id if found else None,
        created_at=at,
        updated_at=at,
        **({"owner": account.actor()} | more),
    )
    opportunity.application_id = stable_id(slug, "application", opportunity.id)
    account.add_opportunity(opportunity)
    candidacies.record_stage(account, opportunity, None)
    return opportunity


def generate(account: LeverAccount, count: int, prefix: str, posting: str) -> list[str]:
    """Make candidates in bulk; return their opportunities' ids, the same for the same prefix. Raises HttpError."""
    words = [f"{prefix} {number:05d}" for number in range(1, count + 1)]
    if stable_id(account.slug, "opportunity", words[0]) in account.opportunities:
        raise HttpError(400, f"candidates with the prefix {prefix} exist already; give another prefix")
    return [
        add_candidate(
            account,
            word,
            posting,
            name=word,
            emails=[f"{word.lower().replace(' ', '-')}@candidates.example"],
        ).id
        for word in words
    ]


TREES = "Alder Birch Cedar Dogwood Elm Fir Ginkgo Hazel Ivy Juniper Katsura Larch".split()  # noqa: SIM905 as in prose


def acme(sender: WebhookSender) -> LeverAccount:
    """Return the first customer's account, with candidates that are special cases."""
    account = new_account("acme", sender)
    add_posting(account, "Backend Engineer", "CodeScreen Backend")
    add_posting(account, "Frontend Engineer", "CodeScreen Frontend Developer")
    add_posting(account, "Data Engineer", "CodeScreen Data Enginer", team="Data")
    add_posting(account, "Site Reliability Engineer", department="Infrastructure")
    add_posting(
        account, "Mobile Engineer", "CodeScreen Mobile iOS", "CodeScreen Mobile Android", team="Mobile"
    )
    add_posting(account, "Principal Engineer", "CodeScreen Backend", confidentiality="confidential")
    postings = ("Backend Engineer", "Frontend Engineer", "Data Engineer", "Site Reliability Engineer")
    for index, word in enumerate(TREES):
        add_candidate(account, word, postings[index % 4] if index > 3 else postings[index % 2])
    backend, frontend = postings[:2]
    withdrew = {"reason": stable_id("acme", "archive-reason", "Withdrew"), "archivedAt": now_ms()}
    oaks = [f"{word}@candidates.example" for word in ("oak", "oak.work", "oak.old")]
    add_candidate(account, "Maple", "Mobile Engineer")
    add_candidate(account, "Nyssa", backend, emails=[])
    add_candidate(account, "Oak", frontend, emails=oaks)
    add_candidate(account, "Pine", backend, archived=withdrew)
    add_candidate(account, "Quince", "Principal Engineer", confidentiality="confidential")
    add_candidate(account, "Rowan", backend, data_protection=NO_CONTACT)
    spruce = add_candidate(account, "Spruce", backend, name="Anonymized candidate", emails=[])
    account.contact_of(spruce).is_anonymized = True
    add_candidate(account, "Sequoia", frontend, name="Sequoia")
    add_candidate(account, "Olive", backend, name="Kandidat Ölbaum Świerk-Örnek 橄榄")
    add_candidate(account, "Tamarack", backend)
    add_candidate(account, "Tamarack again", frontend, same_as="Tamarack")
    add_candidate(account, "Upas", stage="lead-new", origin="sourced", tags=["CodeScreen Backend"])
    return account


def globex(sender: WebhookSender) -> LeverAccount:
    """Return the second customer's account."""
    account = new_account("globex", sender)
    add_posting(account, "Backend Developer", "CodeScreen Backend")
    add_posting(account, "Web Developer", "CodeScreen Frontend Developer")
    titles = ("Backend Developer", "Web Developer")
    for index, word in enumerate(("Willow", "Yew", "Zelkova", "Aspen", "Beech")):
        add_candidate(account, word, titles[index % 2])
    return account
