"""One customer's Lever account: everything in it, with the indexes that keep look-ups quick."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from threading import RLock

from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.ledger import Books
from portal.devtools.sandbox.lever.events import Events
from portal.devtools.sandbox.lever.limits import Bucket
from portal.devtools.sandbox.lever.settings import LeverSettings
from portal.devtools.sandbox.lever.state import (
    ArchiveReason,
    Contact,
    FeedbackTemplate,
    Opportunity,
    Posting,
    Stage,
    User,
)
from portal.devtools.sandbox.webhooks import WebhookSender


class LeverAccount:
    """State and indexes of one account; hold `lock` while reading or changing it."""

    def __init__(self, slug: str, name: str, sender: WebhookSender, settings: LeverSettings) -> None:
        self.slug = slug
        self.name = name
        self.id = stable_id(slug, "lever-account")
        self.lock = RLock()
        self.settings = settings
        self.bucket = Bucket(settings)
        self.events = Events(sender, settings)
        self.books = Books()
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
        self.source_counts: Counter[str] = Counter()

    def add_contact(self, contact: Contact) -> None:
        """Take in a person."""
        self.contacts[contact.id] = contact
        for email in contact.emails:
            self.contact_by_email.setdefault(canonical(email), contact)

    def set_emails(self, contact: Contact, emails: list[str]) -> None:
        """Change a person's addresses, and the index with them."""
        for email in contact.emails:
            if self.contact_by_email.get(canonical(email)) is contact:
                del self.contact_by_email[canonical(email)]
        contact.emails = emails
        for email in emails:
            self.contact_by_email.setdefault(canonical(email), contact)

    def add_opportunity(self, opportunity: Opportunity) -> None:
        """Take in a candidacy; tags of its posting are copied onto it."""
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
        self.source_counts.update(opportunity.sources)

    def drop_opportunity(self, opportunity: Opportunity) -> None:
        """Take a candidacy out of every list; it is remembered among the deleted."""
        self.opportunities.pop(opportunity.id, None)
        self.by_stage[opportunity.stage].pop(opportunity.id, None)
        self.by_contact[opportunity.contact_id].pop(opportunity.id, None)
        if opportunity.posting_id:
            self.by_posting[opportunity.posting_id].pop(opportunity.id, None)
        self.tag_counts.subtract(opportunity.tags)
        self.source_counts.subtract(opportunity.sources)
        self.deleted[opportunity.id] = opportunity

    def set_stage(self, opportunity: Opportunity, stage_id: str) -> None:
        """Put a candidacy in another stage, and the index with it."""
        self.by_stage[opportunity.stage].pop(opportunity.id, None)
        opportunity.stage = stage_id
        self.by_stage[stage_id][opportunity.id] = opportunity

    def rank(self, stage_id: str) -> int:
        """Return a stage's zero-based place in the pipeline."""
        return self._ranks().get(stage_id, len(self.stages))

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
        """Return the first active Super Admin, the one who is signed in on the account's pages."""
        return self.user_with_role("super admin")

    def actor(self) -> str | None:
        """Return the id of whoever is signed in on the pages."""
        user = self.super_admin()
        return user.id if user else None

    def user_with_role(self, role: str) -> User | None:
        """Return the first active user with a role."""
        return next((u for u in self.users.values() if u.role == role and u.deactivated_at is None), None)

    def contact_of(self, opportunity: Opportunity) -> Contact:
        """Return the person behind a candidacy."""
        return self.contacts[opportunity.contact_id]

    def in_stages(self, stage_ids: Iterable[str]) -> list[Opportunity]:
        """Return the candidacies in some stages without looking at the others."""
        return [item for stage_id in stage_ids for item in self.by_stage[stage_id].values()]

    def _ranks(self) -> dict[str, int]:
        # Stages are only ever appended, so the number of them tells whether the ranks are current.
        cached: dict[str, int] = getattr(self, "_rank_cache", {})
        if len(cached) != len(self.stages):
            cached = {stage_id: index for index, stage_id in enumerate(self.stages)}
            self._rank_cache = cached
        return cached


def canonical(email: str) -> str:
    """Return an address as Lever compares it."""
    return email.strip().casefold()
