"""What the portal reads from Lever's opportunities, webhooks, feedback forms and templates; webhooks' signatures.

Decoded leniently, since Lever adds fields without notice: a value of another type than the documented one counts as
absent. Source: https://hire.lever.co/developer/documentation (Opportunities, Webhooks, Securing webhooks, Feedback,
Feedback templates).
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.utils.crypto import constant_time_compare

from integrations.http.json_values import JsonObject, one_line

_YEAR_3000_IN_MILLISECONDS = 32_503_680_000_000


def text(value: object) -> str:
    """Return the text, empty for anything else."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, without its other items."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def json_object(value: object) -> JsonObject:
    """Return the JSON object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def json_objects(value: object) -> list[JsonObject]:
    """Return the JSON objects of a list, without its other items."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def referenced_id(value: object) -> str:
    """Return the id of a reference, which may have been expanded into its object."""
    return text(value.get("id")) if isinstance(value, Mapping) else text(value)


def moment(milliseconds: object) -> datetime | None:
    """Return Lever's integer milliseconds since 1970 as a time, None for anything else."""
    if type(milliseconds) is not int or not 0 < milliseconds < _YEAR_3000_IN_MILLISECONDS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


#: The only events that name no opportunity.
CONTACT_EVENTS = frozenset({"contactCreated", "contactUpdated"})


def milliseconds(moment: datetime) -> str:
    """Return a time as Lever's filters take it."""
    return str(int(moment.timestamp() * 1000))


@dataclass(frozen=True)
class Opportunity:
    """One candidacy: the person's contact data, stage, tags and links, and the posting it is for."""

    id: str
    contact_id: str
    name: str
    emails: tuple[str, ...]
    stage_id: str
    posting_id: str
    tags: tuple[str, ...]
    links: tuple[str, ...]
    is_archived: bool
    is_anonymized: bool
    may_contact: bool
    owner_id: str
    url: str
    origin: str = ""  # Lever's word for how the candidate came
    owner_email: str = ""  # empty where the owner wasn't expanded
    follower_emails: tuple[str, ...] | None = None  # None where the followers weren't expanded
    hiring_managers: tuple[str, ...] = ()  # ids of Lever users, of the applications that were expanded
    entered_at: datetime | None = None  # when it came into its present stage
    is_deleted: bool = False
    stage_changes: tuple[tuple[str, datetime], ...] = ()  # each stage that it came into, and when

    def stages_between(self, since: datetime, until: datetime) -> set[str]:
        """Return the stages in which it was at some time from `since` until before `until`, as far as Lever says."""
        changes = sorted(self.stage_changes, key=lambda change: change[1])
        ends = [at for _, at in changes[1:]] + [until]
        stays = zip(changes, ends, strict=False)
        return {stage_id for (stage_id, at), end in stays if at < until and end >= since}

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode an opportunity that was read with or without its applications, owner and followers expanded."""
        contact_protection = json_object(json_object(data.get("dataProtection")).get("contact"))
        applications = json_objects(data.get("applications"))
        postings = (referenced_id(one["posting"]) for one in applications if one.get("posting"))
        hiring_managers = (referenced_id(one.get("postingHiringManager")) for one in applications)
        return cls(
            id=text(data.get("id")),
            contact_id=referenced_id(data.get("contact")),
            name=one_line(text(data.get("name"))),
            emails=tuple(email.strip() for email in texts(data.get("emails")) if email.strip()),
            stage_id=referenced_id(data.get("stage")),
            posting_id=next(postings, ""),
            tags=texts(data.get("tags")),
            links=texts(data.get("links")),
            is_archived=bool(data.get("archived")) or bool(data.get("deletedAt")),
            is_anonymized=data.get("isAnonymized") is True,
            may_contact=contact_protection.get("allowed") is not False,
            owner_id=referenced_id(data.get("owner")),
            url=text(json_object(data.get("urls")).get("show")),
            origin=text(data.get("origin")),
            owner_email=text(json_object(data.get("owner")).get("email")),
            follower_emails=_follower_emails(data.get("followers")),
            hiring_managers=tuple(filter(None, hiring_managers)),
            entered_at=_entered_at(data),
            is_deleted=bool(data.get("deletedAt")),
            stage_changes=tuple(_stage_changes(data)),
        )


def _follower_emails(followers: object) -> tuple[str, ...] | None:
    """Return the addresses of the followers; None where Lever only shows their ids."""
    users = json_objects(followers)
    if not isinstance(followers, list) or any(isinstance(follower, str) for follower in followers):
        return None
    return tuple(filter(None, (text(user.get("email")) for user in users)))


def _stage_changes(data: JsonObject) -> Iterator[tuple[str, datetime]]:
    for change in json_objects(data.get("stageChanges")):
        at = moment(change.get("updatedAt"))
        if at is not None:
            yield text(change.get("toStageId")), at


def _entered_at(data: JsonObject) -> datetime | None:
    """Return when the opportunity came into its present stage, according to its last stage change."""
    changes = json_objects(data.get("stageChanges"))
    if not changes or changes[-1].get("toStageId") != referenced_id(data.get("stage")):
        return None
    return moment(changes[-1].get("updatedAt"))


@dataclass(frozen=True)
class StageChange:
    """The content of a `candidateStageChange` webhook. It isn't signed, so it is re-read before anything is done."""

    opportunity_id: str
    to_stage_id: str
    from_stage_id: str = ""
    triggered_at: datetime | None = None

    @classmethod
    def from_payload(cls, payload: JsonObject) -> Self:
        data = json_object(payload.get("data"))
        return cls(
            opportunity_id=opportunity_id_in(data),
            to_stage_id=text(data.get("toStageId")),
            from_stage_id=text(data.get("fromStageId")),
            triggered_at=moment(payload.get("triggeredAt")),
        )

    def is_ahead_of(self, opportunity: Opportunity) -> bool:
        """Whether the opportunity stands where this change left from, and nothing since shows that it came back."""
        since = self.triggered_at
        if since is None or self.from_stage_id in {"", self.to_stage_id}:
            return False
        is_there = opportunity.stage_id == self.from_stage_id
        return is_there and not any(at > since for _, at in opportunity.stage_changes)


def opportunity_id_in(data: JsonObject) -> str:
    """Return the opportunity that a webhook's `data` names; empty where it names none.

    Until 2020 Lever named the candidate alone, whose id was then the opportunity's.
    """
    return text(data.get("opportunityId")) or text(data.get("candidateId"))


def dedupe_key(payload: JsonObject) -> str:
    """Return a key that is the same when Lever sends a delivery again: its id, else what happened and when."""
    delivery_id = payload.get("id")
    if isinstance(delivery_id, str) and delivery_id:
        return f"id:{delivery_id}"[:300]
    data = json_object(payload.get("data"))
    parts = [
        payload.get("event"),
        payload.get("triggeredAt"),
        opportunity_id_in(data),
        data.get("toStageId"),
    ]
    if not opportunity_id_in(data):
        parts.append(payload.get("token"))
    return ":".join(["event", *(str(part) for part in parts)])[:300]


def is_test_request(payload: JsonObject) -> bool:
    """Whether this is Lever's *Verify Connection*: no data, or data that names neither candidate nor contact."""
    data = json_object(payload.get("data"))
    is_about_contact = text(payload.get("event")) in CONTACT_EVENTS and bool(data.get("contactId"))
    return not opportunity_id_in(data) and not is_about_contact


@dataclass(frozen=True)
class FormField:
    """One field of a template or form. `id` differs between a template and the forms made from it."""

    id: str
    type: str
    text: str
    options: tuple[str, ...] = ()
    value: object = None

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        return cls(
            id=text(data.get("id")),
            type=text(data.get("type")),
            text=text(data.get("text")),
            options=tuple(text(option.get("text")) for option in json_objects(data.get("options"))),
            value=data.get("value"),
        )

    def to_json(self) -> JsonObject:
        """Return the field without its value, so that `from_api` decodes it again."""
        options = [{"text": option} for option in self.options]
        return {"id": self.id, "type": self.type, "text": self.text, "options": options}

    @property
    def is_scored(self) -> bool:
        """Whether the field takes the rating, or another score. A customer may have renamed it, so its type tells."""
        return self.type in {"score-system", "score"}

    def rating_value(self, rating: int) -> str | int | None:
        """Return the value that stands for `rating` (1 to 4) in this rating field, None when it has none.

        Where it has options, it takes the text of one. Customers may reword them (`4 - Strong Hire`, `4 - Yes`, …): the
        leading digit decides, else the order, which runs from 4 down to 1. A score without options takes the number.
        """
        if not self.options:
            return rating if self.type == "score" else None
        for option in self.options:
            if option.strip().startswith(str(rating)):
                return option
        return self.options[4 - rating] if len(self.options) == 4 else None


@dataclass(frozen=True)
class FeedbackForm:
    """A feedback template, or a feedback form with its values."""

    id: str
    text: str
    instructions: str
    is_deleted: bool
    fields: tuple[FormField, ...]

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode a template or a form; Lever still answers after it was deleted, with `deletedAt`."""
        return cls(
            id=text(data.get("id")),
            text=text(data.get("text")),
            instructions=text(data.get("instructions")),
            is_deleted=bool(data.get("deletedAt")),
            # Lever identifies a field by its text, so of two with the same text the last one counts
            fields=tuple(
                {
                    field.text: field for field in map(FormField.from_api, json_objects(data.get("fields")))
                }.values()
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the template for a copy that `from_api` decodes again."""
        return {
            "id": self.id,
            "text": self.text,
            "instructions": self.instructions,
            "fields": [field.to_json() for field in self.fields],
        }

    @property
    def rating_fields(self) -> list[FormField]:
        """The fields that take the rating: those with options, since Lever names their type in two ways.

        `score-system` in a template, that or `score` in a form. A score without options is another field, which counts
        where there is no other.
        """
        scored = [field for field in self.fields if field.is_scored]
        return [field for field in scored if field.options] or scored

    @property
    def field_texts(self) -> set[str]:
        """The texts that Lever shows beside the fields."""
        return {field.text for field in self.fields}


def sign(token: str, triggered_at: int, signature_token: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of `token` + `triggered_at` (milliseconds) under the signature token."""
    message = f"{token}{triggered_at}".encode()
    return hmac.new(signature_token.encode(), message, hashlib.sha256).hexdigest()


def matching_token(body: Mapping[str, object], signature_tokens: Iterable[str]) -> str | None:
    """Return the signature token that the body was signed with, None if it is none of these.

    Only `token` and `triggeredAt` are signed; the rest of the body isn't verified and is re-read from Lever.
    """
    token, triggered_at, signature = body.get("token"), body.get("triggeredAt"), body.get("signature")
    if not isinstance(token, str) or not isinstance(signature, str) or type(triggered_at) is not int:
        return None
    matching = None
    for candidate in signature_tokens:
        # every token is tried, so that the duration doesn't reveal which one matched
        if candidate and constant_time_compare(sign(token, triggered_at, candidate), signature):
            matching = candidate
    return matching
