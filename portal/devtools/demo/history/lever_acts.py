"""What happens in the pretend Lever: recruiters add, move and archive candidates, and webhooks get lost."""

import requests

from portal.devtools.demo.history.events import Event
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

    def add(self, event: Event) -> None:
        """Let the person apply."""
        person = _person(event)
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

    def move(self, event: Event) -> None:
        """Move the person, or several at once, to a stage; one that `is_undone` goes back at once."""
        people = event.people or (_person(event),)
        with self._account.lock:
            for person in people:
                opportunity = self._opportunity(person)
                before = opportunity.stage
                self._change_stage(opportunity, str(event.details["stage"]))
                if event.details.get("is_undone"):
                    self._change_stage(opportunity, before)

    def archive(self, event: Event) -> None:
        """Archive the person for a reason."""
        wanted = event.details["reason"]
        reason = next(one for one in self._account.archive_reasons.values() if one.text == wanted)
        with self._account.lock:
            candidacies.set_archived(self._account, self._opportunity(_person(event)), reason.id)

    def lose_webhooks(self, _event: Event) -> None:
        """Report nothing from now on."""
        self._account.settings.webhooks_enabled = False

    def deliver_webhooks(self, _event: Event) -> None:
        """Report what happens from now on."""
        self._account.settings.webhooks_enabled = True

    def forge_webhook(self, _event: Event) -> None:
        """Have somebody send a stage change whose signature is made with another token."""
        url = next(hook.url for hook in self._account.events.webhooks.values() if hook.event == STAGE_CHANGE)
        body = signed_body(Webhook(new_id(), STAGE_CHANGE, url), STAGE_CHANGE, {"opportunityId": new_id()})
        requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=5)

    def _change_stage(self, opportunity: Opportunity, name: str) -> None:
        stage = self._account.find_stage(name)
        assert stage is not None, name  # noqa: S101 the plan names the account's own stages
        candidacies.change_stage(self._account, opportunity, stage.id, self._account.actor())

    def _opportunity(self, person: Person) -> Opportunity:
        return self._account.opportunities[opportunity_id(self._account.slug, person)]


def _person(event: Event) -> Person:
    assert event.person is not None, event  # noqa: S101 the plan gives these acts a person
    return event.person
