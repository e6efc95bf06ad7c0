"""What happens in the pretend Lever: recruiters add, move and archive candidates, and webhooks get lost."""

import requests

from portal.devtools.demo.history.events import Add, Archive, Move, MoveTogether
from portal.devtools.demo.history.people import DESIGN, Person
from portal.devtools.sandbox.ids import new_id, stable_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.behaviour.loading import new_opportunity
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.events import signed_body
from portal.devtools.sandbox.lever.state.opportunity import Opportunity
from portal.devtools.sandbox.lever.state.pipeline import Posting
from portal.devtools.sandbox.lever.state.webhook import Webhook
from portal.devtools.sandbox.times import now_ms

NO_CONTACT: JsonObject = {
    "store": {"allowed": True, "expiresAt": None},
    "contact": {"allowed": False, "expiresAt": None},
}
STAGE_CHANGE = "candidateStageChange"


def opportunity_id(slug: str, person: Person) -> str:
    """Return the id that the person's candidacy has in every run."""
    return stable_id(slug, "opportunity", person.word)


class LeverActs:
    """Acts in one account."""

    def __init__(self, account: LeverAccount) -> None:
        self._account = account
        design = Posting(stable_id(account.slug, "posting", DESIGN), DESIGN, account.actor(), team="Design")
        account.postings[design.id] = design

    def add(self, act: Add) -> None:
        """Let the person apply."""
        person = act.person
        item: JsonObject = {
            "id": opportunity_id(self._account.slug, person),
            "contact": stable_id(self._account.slug, "contact", person.same_person_as or person.word),
            "name": f"Candidate {person.same_person_as or person.word}",
            "emails": [person.email] if person.email else [],
            "posting": person.posting,
            "tags": list(person.tags),
        }
        if not person.may_be_contacted:
            item["data_protection"] = NO_CONTACT
        with self._account.lock:
            candidacies.create(self._account, new_opportunity(self._account, item, now_ms()))

    def move(self, act: Move) -> None:
        """Move the person to a stage, and back if it is undone. Raises LookupError without such a stage."""
        with self._account.lock:
            before = self._opportunity(act.person).stage
            self._change_stage(act.person, act.stage)
            if act.is_undone:
                self._change_stage(act.person, before)

    def move_together(self, act: MoveTogether) -> None:
        """Move several people to a stage at once. Raises LookupError without such a stage."""
        with self._account.lock:
            for person in act.people:
                self._change_stage(person, act.stage)

    def archive(self, act: Archive) -> None:
        """Archive the person for a reason."""
        reason = next(one for one in self._account.archive_reasons.values() if one.text == act.reason)
        with self._account.lock:
            candidacies.set_archived(self._account, self._opportunity(act.person), reason.id)

    def lose_webhooks(self) -> None:
        """Report nothing from now on."""
        self._account.settings.webhooks_enabled = False

    def deliver_webhooks(self) -> None:
        """Report what happens from now on."""
        self._account.settings.webhooks_enabled = True

    def forge_webhook(self) -> None:
        """Have somebody send a stage change whose signature is made with another token."""
        url = next(hook.url for hook in self._account.events.webhooks.values() if hook.event == STAGE_CHANGE)
        body = signed_body(Webhook(new_id(), STAGE_CHANGE, url), STAGE_CHANGE, {"opportunityId": new_id()})
        requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=5)

    def _change_stage(self, person: Person, name: str) -> None:
        stage = self._account.find_stage(name)
        if stage is None:
            raise LookupError(f"{self._account.slug} has no stage {name}")
        candidacies.change_stage(self._account, self._opportunity(person), stage.id, self._account.actor())

    def _opportunity(self, person: Person) -> Opportunity:
        return self._account.opportunities[opportunity_id(self._account.slug, person)]
