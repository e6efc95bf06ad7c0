"""What stays of each column when a row is erased."""

import json
from collections.abc import Callable, Mapping

from django.apps import apps
from django.db import models

from integrations.data_inventory import Table
from integrations.models import Effect
from integrations.vocabulary import FAILURE_REASONS, VerdictCode
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.erasure.subject import Subject

ERASED = "The person's data was erased."
#: What is kept of a delivery's body, for the timeline, the sweep and a replay: ids and times.
_KEPT_OUTSIDE = ("id", "event", "type", "triggeredAt", "timestamp")
_KEPT_IN_DATA = (
    "opportunityId",
    "candidateId",
    "contactId",
    "toStageId",
    "fromStageId",
    "assessmentInstanceId",
    "externalId",
)
#: The kinds of effect whose payload holds ids, tags of the organization and stages alone.
_IMPERSONAL_KINDS = frozenset(
    {
        Effect.Kind.SEND_INVITATION,
        Effect.Kind.SET_PROGRESS_TAG,
        Effect.Kind.SET_RESULT_TAG,
        Effect.Kind.MOVE_STAGE,
        Effect.Kind.WRITE_FEEDBACK,
        Effect.Kind.REMOVE_REPORT,
        Effect.Kind.MAKE_TEMPLATE,
    }
)

EMPTY_EMAIL = json.loads(json.dumps(EmailPayload().to_json()))

#: The verdicts whose sentences quote nothing.
IMPERSONAL_VERDICTS = frozenset({VerdictCode.ERASED, VerdictCode.ANONYMIZED})

type Row = Mapping[str, object]


def model_of(table: Table) -> type[models.Model]:
    """Return the table's model."""
    return apps.get_model(table.model)


def columns_read(table: Table) -> list[str]:
    """Return the columns that deciding what stays depends on."""
    return [*dict.fromkeys(("pk", *table.candidate, *_ALSO_READ.get(table.model, ())))]


_ALSO_READ = {
    "integrations.Effect": ("kind", "state", "opportunity_id"),
    "integrations.Delivery": ("verdict",),
}


def changes_of(table: Table, row: Row, subject: Subject | None) -> dict[str, object]:
    """Return the columns of a row that erasure changes, with what stays of them; empty when nothing is to be changed.

    Without a subject the row is emptied because of its age.
    """
    kept = {name: _kept(table, name, row, subject) for name in table.candidate}
    return {name: value for name, value in kept.items() if value != row[name]}


def _kept(table: Table, name: str, row: Row, subject: Subject | None) -> object:
    special = _SPECIAL.get((table.model, name))
    if special is not None:
        return special(row, subject)
    return {} if isinstance(row[name], (dict, list)) else ""


def kept_of_payload(payload: object) -> dict[str, object]:
    """Return what stays of a delivery's body: what happened, when, and ids."""
    if not isinstance(payload, dict):
        return {}
    outer = {name: payload[name] for name in _KEPT_OUTSIDE if _is_scalar(payload.get(name))}
    data = payload.get("data")
    if not isinstance(data, dict) or not data:
        return outer
    return {**outer, "data": {name: data[name] for name in _KEPT_IN_DATA if _is_scalar(data.get(name))}}


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and "@" not in str(value)


def _payload_of_delivery(row: Row, _: Subject | None) -> object:
    return kept_of_payload(row["payload"])


def _explanation_of_delivery(row: Row, _: Subject | None) -> object:
    return row["explanation"] if row["verdict"] in IMPERSONAL_VERDICTS else ""


def _facts_of_delivery(_row: Row, _: Subject | None) -> object:
    return None


def _payload_of_effect(row: Row, _: Subject | None) -> object:
    if row["kind"] == Effect.Kind.SEND_EMAIL:
        return EMPTY_EMAIL
    if row["kind"] == Effect.Kind.ATTACH_REPORT and isinstance(row["payload"], dict):
        return {**row["payload"], "words": {}} if row["payload"] else {}
    return row["payload"] if row["kind"] in _IMPERSONAL_KINDS else {}


def _key_of_effect(row: Row, _: Subject | None) -> object:
    is_address = row["kind"] == Effect.Kind.ADD_REPORT_LINK
    return f"erased:{row['pk']}" if is_address else row["key"]


def _error_of_effect(row: Row, _: Subject | None) -> object:
    return ERASED if row["last_error"] == ERASED else ""


def _path_of_call(row: Row, subject: Subject | None) -> object:
    path = str(row["path"])
    is_personal = "@" in path or "%40" in path or (subject is not None and subject.is_named(path))
    return "/" if is_personal else path


def _failure_reason(row: Row, _: Subject | None) -> object:
    reason = row["failure_reason"]
    return reason if reason in FAILURE_REASONS else ""


def _following_ended(row: Row, _: Subject | None) -> object:
    return ERASED


_SPECIAL: Mapping[tuple[str, str], Callable[[Row, Subject | None], object]] = {
    ("integrations.Delivery", "payload"): _payload_of_delivery,
    ("integrations.Delivery", "explanation"): _explanation_of_delivery,
    ("integrations.Delivery", "facts"): _facts_of_delivery,
    ("integrations.Effect", "payload"): _payload_of_effect,
    ("integrations.Effect", "key"): _key_of_effect,
    ("integrations.Effect", "last_error"): _error_of_effect,
    ("integrations.ApiCall", "path"): _path_of_call,
    ("integrations.Result", "failure_reason"): _failure_reason,
    ("integrations.Invitation", "following_ended_reason"): _following_ended,
}
