"""One customer's Lever account: everything in it, with indexes for quick look-ups."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from threading import RLock

from portal.devtools.sandbox.ledger import Ledger
from portal.devtools.sandbox.lever.settings import LeverSettings
from portal.devtools.sandbox.lever.state.events import Events
from portal.devtools.sandbox.lever.state.records import (
    ArchiveReason,
    Contact,
    FeedbackTemplate,
    Opportunity,
    Posting,
    Stage,
    User,
    canonical_email,
)
from portal.devtools.sandbox.values import stable_id
from portal.devtools.sandbox.webhook_sender import WebhookSender


class TokenBucket:
    """Refills at the account's rate up to its burst; guarded by the account's lock."""

    def __init__(self, settings: LeverSettings) -> None:
        self._settings = settings
        self._tokens = float(settings.rate_burst)
        self._refilled_at = time.monotonic()

    def take(self) -> bool:
        """Take one token and return whether there was one; always true while the limit is off."""
        rate = self._settings.rate_limit
        if rate <= 0:
            return True
        now = time.monotonic()
        refill = (now - self._refilled_at) * rate
        self._tokens = min(float(self._settings.rate_burst), self._tokens + refill)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_seconds(self) -> float:
        """Return how long until the next token."""
        return max(0.0, (1 - self._tokens) / self._settings.rate_limit)


class LeverAccount:
    """State and indexes of one account; hold `lock` while reading or changing it."""

    def __init__(self, slug: str, name: str, sender: WebhookSender, settings: LeverSettings) -> None:
        self.slug = slug
        self.name = name
        self.id = stable_id(slug, "lever-account")
        self.lock = RLock()
        self.settings = settings
        self.bucket = TokenBucket(settings)
        self.events = Events(sender, settings)
        self.ledger = Ledger()
        self.users: dict[str, User] = {}
        self.stages: dict[str, Stage] = {}
        self.archive_reasons: dict[str, ArchiveReason] = {}
        self.postings: dict[str, Posting] = {}
        self.templates: dict[str, FeedbackTemplate] = {}
        self.contacts: dict[str, Contact] = {}
        self.opportunities: dict[str, Opportunity] = {}
        self.deleted: dict[str, Opportunity] = {}
        self.by_stage: defaultdict[str, dict[str, Opportunity]] = defaultdict(dict)
        self.by_contact: defaultdict[str, dict[str, Opportunity]] = defaultdict(dict)
        self.by_posting: defaultdict[str, dict[str, Opportunity]] = defaultdict(dict)
        self.contact_by_email: dict[str, Contact] = {}
        self.tag_counts: Counter[str] = Counter()
        self._ranks: dict[str, int] = {}

    def add_contact(self, contact: Contact) -> None:
        """Add a person."""
        self.contacts[contact.id] = contact
        for email in contact.emails:
            self.contact_by_email.setdefault(canonical_email(email), contact)

    def set_emails(self, contact: Contact, emails: list[str]) -> None:
        """Change a person's addresses, and the index with them."""
        for email in contact.emails:
            if self.contact_by_email.get(canonical_email(email)) is contact:
                del self.contact_by_email[canonical_email(email)]
        contact.emails = emails
        for email in emails:
            self.contact_by_email.setdefault(canonical_email(email), contact)

    def add_opportunity(self, opportunity: Opportunity) -> None:
        """Add an opportunity; tags of its posting are copied onto it."""
        self.opportunities[opportunity.id] = opportunity
        self.by_stage[opportunity.stage][opportunity.id] = opportunity
        self.by_contact[opportunity.contact_id][opportunity.id] = opportunity
        if opportunity.posting_id:
            self.by_posting[opportunity.posting_id][opportunity.id] = opportunity
            posting = self.postings[opportunity.posting_id]
            inherited = [tag for tag in posting.inherited_tags() if tag not in opportunity.tags]
            opportunity.tags += inherited
            opportunity.inherited.update(inherited)
        self.tag_counts.update(opportunity.tags)

    def drop_opportunity(self, opportunity: Opportunity) -> None:
        """Remove an opportunity from every index; it stays among the deleted."""
        self.opportunities.pop(opportunity.id, None)
        self.by_stage[opportunity.stage].pop(opportunity.id, None)
        self.by_contact[opportunity.contact_id].pop(opportunity.id, None)
        if opportunity.posting_id:
            self.by_posting[opportunity.posting_id].pop(opportunity.id, None)
        self.tag_counts.subtract(opportunity.tags)
        self.deleted[opportunity.id] = opportunity

    def set_stage(self, opportunity: Opportunity, stage_id: str) -> None:
        """Put an opportunity in another stage, and the index with it."""
        self.by_stage[opportunity.stage].pop(opportunity.id, None)
        opportunity.stage = stage_id
        self.by_stage[stage_id][opportunity.id] = opportunity

    def rank(self, stage_id: str) -> int:
        """Return a stage's zero-based place in the pipeline."""
        # Stages are only ever appended, so the ranks are current while the number of stages is.
        if len(self._ranks) != len(self.stages):
            self._ranks = {known: index for index, known in enumerate(self.stages)}
        return self._ranks.get(stage_id, len(self.stages))

    def find_stage(self, name: str) -> Stage | None:
        """Return the stage with that id, or else with that text in any case."""
        if name in self.stages:
            return self.stages[name]
        folded = name.strip().casefold()
        return next((stage for stage in self.stages.values() if stage.text.casefold() == folded), None)

    def find_posting(self, name: str) -> Posting | None:
        """Return the posting with that id, or else with that title."""
        if name in self.postings:
            return self.postings[name]
        return next((posting for posting in self.postings.values() if posting.text == name), None)

    def super_admin(self) -> User | None:
        """Return the first active Super Admin, who counts as signed in on the account's pages."""
        return self.user_with_role("super admin")

    def actor(self) -> str | None:
        """Return the id of the user who is signed in on the pages."""
        user = self.super_admin()
        return user.id if user else None

    def user_with_role(self, role: str) -> User | None:
        """Return the first active user with a role."""
        return next((u for u in self.users.values() if u.role == role and u.deactivated_at is None), None)

    def user_name(self, user_id: str | None) -> str:
        """Return a user's name, or an empty string for an unknown one."""
        user = self.users.get(user_id or "")
        return user.name if user else ""

    def contact_of(self, opportunity: Opportunity) -> Contact:
        """Return the contact of an opportunity."""
        return self.contacts[opportunity.contact_id]

    def in_stages(self, stage_ids: Iterable[str]) -> list[Opportunity]:
        """Return the opportunities in some stages, by the index."""
        return [item for stage_id in stage_ids for item in self.by_stage[stage_id].values()]
