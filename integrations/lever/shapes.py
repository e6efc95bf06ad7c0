"""What the portal relies on in Lever's answers and webhooks: fields and types, per endpoint.

Source: https://hire.lever.co/developer/documentation.
"""

from dataclasses import replace

from integrations.core.vocabulary import DeliveryEvent
from integrations.http.shapes import (
    ANYTHING,
    BOOLEAN,
    TEXT,
    WHOLE_NUMBER,
    Endpoint,
    Form,
    JsonObject,
    Kind,
    Shape,
    either,
    json_object,
    list_of,
    nullable,
    optional,
)
from integrations.lever.payloads import is_test_request
from integrations.lever.transport import unwrap


def _list(name: str, row: Shape) -> Endpoint:
    form = Form(
        "a page that names the next one where there is one",
        lambda page: (
            not isinstance(page, dict) or not page.get("hasNext") or isinstance(page.get("next"), str)
        ),
    )
    page = json_object(data=list_of(row), hasNext=optional(BOOLEAN), next=optional(TEXT))
    return Endpoint(f"GET {name}", page.of_form(form))


def _has_note_id(note: object) -> bool:
    return isinstance(note, dict) and any(isinstance(note.get(name), str) for name in ("id", "noteId"))


def _one(name: str, shape: Shape) -> Endpoint:
    return Endpoint(name, shape, unwrap)


_REFERENCE = either(TEXT, json_object(id=TEXT))  # an id, or the object that it was expanded into
_APPLICATION = either(
    TEXT, json_object(posting=optional(_REFERENCE), postingHiringManager=optional(_REFERENCE))
)
_OPPORTUNITY = json_object(
    id=TEXT,
    contact=_REFERENCE,
    name=nullable(TEXT),
    emails=list_of(TEXT),
    stage=_REFERENCE,
    stageChanges=list_of(json_object(toStageId=TEXT, updatedAt=nullable(WHOLE_NUMBER))),
    tags=list_of(TEXT),
    links=list_of(TEXT),
    applications=optional(list_of(_APPLICATION)),
    origin=optional(TEXT),
    archived=nullable(json_object()),
    isAnonymized=BOOLEAN,
    dataProtection=nullable(json_object(contact=optional(json_object(allowed=BOOLEAN)))),
    owner=nullable(_REFERENCE),
    followers=optional(list_of(nullable(_REFERENCE))),
    urls=json_object(show=TEXT),
)
OPPORTUNITY = _one("GET /opportunities/:id", _OPPORTUNITY)
OPPORTUNITIES = _list("/opportunities", _OPPORTUNITY)
DELETED_OPPORTUNITIES = _list("/opportunities/deleted", json_object(id=TEXT))
APPLICATIONS = _list("/opportunities/:id/applications", json_object(posting=optional(_REFERENCE)))
ADD_TAGS = _one("POST /opportunities/:id/addTags", json_object(tags=list_of(TEXT)))
REMOVE_TAGS = _one("POST /opportunities/:id/removeTags", json_object(tags=list_of(TEXT)))

INTERVIEWS = _list(
    "/opportunities/:id/interviews",
    json_object(interviewers=optional(list_of(json_object(email=optional(TEXT))))),
)

NOTES = _list(
    "/opportunities/:id/notes",
    json_object(fields=list_of(json_object(value=ANYTHING)), deletedAt=optional(WHOLE_NUMBER)),
)
#: The documentation calls the new note's id `noteId`.
_NEW_NOTE = json_object(id=optional(TEXT), noteId=optional(TEXT))
ADD_NOTE = _one(
    "POST /opportunities/:id/notes", _NEW_NOTE.of_form(Form("an object with an id", _has_note_id))
)

_OPTION = either(TEXT, json_object(text=TEXT))
_FORM = json_object(
    id=TEXT,
    text=TEXT,
    instructions=optional(TEXT),
    fields=list_of(
        json_object(id=TEXT, type=TEXT, text=TEXT, options=optional(list_of(_OPTION)), value=ANYTHING)
    ),
    baseTemplateId=optional(TEXT),
    deletedAt=optional(WHOLE_NUMBER),
)
FEEDBACK_TEMPLATES = _list("/feedback_templates", _FORM)
FEEDBACK_TEMPLATE = _one("GET /feedback_templates/:id", _FORM)
CREATE_FEEDBACK_TEMPLATE = _one("POST /feedback_templates", _FORM)
FEEDBACK_LIST = _list("/opportunities/:id/feedback", _FORM)
FEEDBACK = _one("GET /opportunities/:id/feedback/:id", _FORM)
CREATE_FEEDBACK = _one("POST /opportunities/:id/feedback", _FORM)

_FILE = json_object(id=TEXT, name=TEXT, status=nullable(TEXT))
#: The documentation prints this list without its wrapper.
FILES = replace(
    _list("/opportunities/:id/files", _FILE),
    unwrap=lambda body: {"data": body} if isinstance(body, list) else body,
)
UPLOAD_FILE = _one("POST /opportunities/:id/files", _FILE)

_POSTING = json_object(
    id=TEXT,
    text=TEXT,
    state=TEXT,
    tags=list_of(TEXT),
    categories=optional(
        json_object(
            department=nullable(TEXT),
            team=nullable(TEXT),
            location=nullable(TEXT),
            level=nullable(TEXT),
            commitment=nullable(TEXT),
            allLocations=optional(nullable(list_of(TEXT))),
        )
    ),
)
_USER = json_object(id=TEXT, accessRole=nullable(TEXT), deactivatedAt=optional(WHOLE_NUMBER))
_WEBHOOK = json_object(id=TEXT, event=TEXT, url=TEXT)
STAGES = _list("/stages", json_object(id=TEXT, text=TEXT))
POSTINGS = _list("/postings", _POSTING)
POSTING = _one("GET /postings/:id", _POSTING)
USERS = _list("/users", _USER)
USER = _one("GET /users/:id", _USER)
WEBHOOKS = _list("/webhooks", _WEBHOOK)
CREATE_WEBHOOK = _one(
    "POST /webhooks",
    json_object(**_WEBHOOK.fields, configuration=json_object(signatureToken=TEXT)),
)

TOKEN = Endpoint(
    "POST /oauth/token",
    json_object(
        access_token=TEXT,
        refresh_token=optional(TEXT),
        expires_in=WHOLE_NUMBER.readable_as(Kind.NUMBER_IN_TEXT),
        scope=optional(TEXT),
    ),
)

_ENVELOPE = json_object(id=optional(TEXT), event=TEXT, triggeredAt=WHOLE_NUMBER)
_WEBHOOK_OF_ANY_EVENT = Endpoint("webhook", _ENVELOPE)
_STAGE_CHANGE_WEBHOOK = Endpoint(
    "webhook candidateStageChange",
    json_object(
        **_ENVELOPE.fields,
        # without the opportunity it names the candidate, as before 2020; with neither it is a test request
        data=json_object(
            opportunityId=optional(TEXT),
            candidateId=optional(TEXT),
            contactId=optional(TEXT),
            toStageId=TEXT,
        ),
    ),
)


def webhook(payload: JsonObject) -> Endpoint:
    """Return the shape of a verified webhook; of other events than stage changes only the envelope is read."""
    is_stage_change = payload.get("event") == DeliveryEvent.STAGE_CHANGE and not is_test_request(payload)
    return _STAGE_CHANGE_WEBHOOK if is_stage_change else _WEBHOOK_OF_ANY_EVENT
