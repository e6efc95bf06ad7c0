"""What the portal relies on in Lever's answers and webhooks: fields and types, per endpoint.

Source: https://hire.lever.co/developer/documentation.
"""

from dataclasses import replace

from integrations.core.vocabulary import DeliveryEvent
from integrations.http.shapes import (
    Endpoint,
    Form,
    JsonObject,
    Kind,
    Shape,
    anything,
    boolean,
    either,
    json_object,
    list_of,
    nullable,
    optional,
    text,
    whole_number,
)
from integrations.lever.payloads import is_test_request
from integrations.lever.transport import unwrap


def _names_next_page(page: object) -> bool:
    return not isinstance(page, dict) or not page.get("hasNext") or isinstance(page.get("next"), str)


def _list(name: str, row: Shape) -> Endpoint:
    form = Form("a page that names the next one where there is one", _names_next_page)
    page = json_object(data=list_of(row), hasNext=optional(boolean()), next=optional(text()))
    return Endpoint(f"GET {name}", page.of_form(form))


def _in_wrapper(body: object) -> object:
    return {"data": body} if isinstance(body, list) else body


def _has_note_id(note: object) -> bool:
    return isinstance(note, dict) and any(isinstance(note.get(name), str) for name in ("id", "noteId"))


def _one(name: str, shape: Shape) -> Endpoint:
    return Endpoint(name, shape, unwrap)


_REFERENCE = either(text(), json_object(id=text()))  # an id, or the object that it was expanded into
_APPLICATION = either(
    text(), json_object(posting=optional(_REFERENCE), postingHiringManager=optional(_REFERENCE))
)
_OPPORTUNITY = json_object(
    id=text(),
    contact=_REFERENCE,
    name=nullable(text()),
    emails=list_of(text()),
    stage=_REFERENCE,
    stageChanges=list_of(json_object(toStageId=text(), updatedAt=nullable(whole_number()))),
    tags=list_of(text()),
    links=list_of(text()),
    applications=optional(list_of(_APPLICATION)),
    archived=nullable(json_object()),
    isAnonymized=boolean(),
    dataProtection=nullable(json_object(contact=optional(json_object(allowed=boolean())))),
    owner=nullable(_REFERENCE),
    followers=optional(list_of(nullable(_REFERENCE))),
    urls=json_object(show=text()),
)
OPPORTUNITY = _one("GET /opportunities/:id", _OPPORTUNITY)
OPPORTUNITIES = _list("/opportunities", _OPPORTUNITY)
DELETED_OPPORTUNITIES = _list("/opportunities/deleted", json_object(id=text()))
APPLICATIONS = _list("/opportunities/:id/applications", json_object(posting=optional(_REFERENCE)))
ADD_TAGS = _one("POST /opportunities/:id/addTags", json_object(tags=list_of(text())))
REMOVE_TAGS = _one("POST /opportunities/:id/removeTags", json_object(tags=list_of(text())))

INTERVIEWS = _list(
    "/opportunities/:id/interviews",
    json_object(interviewers=optional(list_of(json_object(email=optional(text()))))),
)

NOTES = _list(
    "/opportunities/:id/notes",
    json_object(fields=list_of(json_object(value=anything())), deletedAt=optional(whole_number())),
)
#: The documentation calls the new note's id `noteId`.
_NEW_NOTE = json_object(id=optional(text()), noteId=optional(text()))
ADD_NOTE = _one(
    "POST /opportunities/:id/notes", _NEW_NOTE.of_form(Form("an object with an id", _has_note_id))
)

_OPTION = either(text(), json_object(text=text()))
_FORM = json_object(
    id=text(),
    text=text(),
    instructions=optional(text()),
    fields=list_of(
        json_object(id=text(), type=text(), text=text(), options=optional(list_of(_OPTION)), value=anything())
    ),
    baseTemplateId=optional(text()),
    deletedAt=optional(whole_number()),
)
FEEDBACK_TEMPLATES = _list("/feedback_templates", _FORM)
FEEDBACK_TEMPLATE = _one("GET /feedback_templates/:id", _FORM)
CREATE_FEEDBACK_TEMPLATE = _one("POST /feedback_templates", _FORM)
FEEDBACK_LIST = _list("/opportunities/:id/feedback", _FORM)
FEEDBACK = _one("GET /opportunities/:id/feedback/:id", _FORM)
CREATE_FEEDBACK = _one("POST /opportunities/:id/feedback", _FORM)

_FILE = json_object(id=text(), name=text(), status=nullable(text()))
#: The documentation prints this list without its wrapper.
FILES = replace(_list("/opportunities/:id/files", _FILE), unwrap=_in_wrapper)
UPLOAD_FILE = _one("POST /opportunities/:id/files", _FILE)

_POSTING = json_object(id=text(), text=text(), state=text(), tags=list_of(text()))
_USER = json_object(id=text(), accessRole=nullable(text()), deactivatedAt=optional(whole_number()))
_WEBHOOK = json_object(id=text(), event=text(), url=text())
STAGES = _list("/stages", json_object(id=text(), text=text()))
POSTINGS = _list("/postings", _POSTING)
POSTING = _one("GET /postings/:id", _POSTING)
USERS = _list("/users", _USER)
USER = _one("GET /users/:id", _USER)
WEBHOOKS = _list("/webhooks", _WEBHOOK)
CREATE_WEBHOOK = _one(
    "POST /webhooks",
    json_object(**_WEBHOOK.fields, configuration=json_object(signatureToken=text())),
)

TOKEN = Endpoint(
    "POST /oauth/token",
    json_object(
        access_token=text(),
        refresh_token=optional(text()),
        expires_in=whole_number().readable_as(Kind.NUMBER_IN_TEXT),
        scope=optional(text()),
    ),
)

_ENVELOPE = json_object(id=optional(text()), event=text(), triggeredAt=whole_number())
_WEBHOOK_OF_ANY_EVENT = Endpoint("webhook", _ENVELOPE)
_STAGE_CHANGE_WEBHOOK = Endpoint(
    "webhook candidateStageChange",
    json_object(
        **_ENVELOPE.fields,
        # without the opportunity it names the candidate, as before 2020; with neither it is a test request
        data=json_object(
            opportunityId=optional(text()),
            candidateId=optional(text()),
            contactId=optional(text()),
            toStageId=text(),
        ),
    ),
)


def webhook(payload: JsonObject) -> Endpoint:
    """Return the shape of a verified webhook; of other events than stage changes only the envelope is read."""
    is_stage_change = payload.get("event") == DeliveryEvent.STAGE_CHANGE and not is_test_request(payload)
    return _STAGE_CHANGE_WEBHOOK if is_stage_change else _WEBHOOK_OF_ANY_EVENT
