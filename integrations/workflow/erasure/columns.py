"""What stays of each column when a row is erased."""

from collections.abc import Callable, Mapping

from django.apps import apps
from django.db import models

from integrations.data_inventory import Table
from integrations.models.delivery_insert import kept_of_payload
from integrations.verdict_code import IMPERSONAL_VERDICTS
from integrations.vocabulary import FAILURE_REASONS
from integrations.workflow.effects.registry import EFFECT_KINDS
from integrations.workflow.erasure.subject import Subject

ERASED = "The person's data was erased."

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


def _payload_of_delivery(row: Row, _: Subject | None) -> object:
    return kept_of_payload(row["payload"])


def _explanation_of_delivery(row: Row, _: Subject | None) -> object:
    return row["explanation"] if row["verdict"] in IMPERSONAL_VERDICTS else ""


def _facts_of_delivery(_row: Row, _: Subject | None) -> object:
    return None


def _payload_of_effect(row: Row, _: Subject | None) -> object:
    payload = row["payload"]
    return EFFECT_KINDS[str(row["kind"])].kept_payload(payload if isinstance(payload, dict) else {})


def _key_of_effect(row: Row, _: Subject | None) -> object:
    return f"erased:{row['pk']}" if EFFECT_KINDS[str(row["kind"])].is_key_personal else row["key"]


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
    ("integrations.ApiCall", "path"): _path_of_call,
    ("integrations.Result", "failure_reason"): _failure_reason,
    ("integrations.Invitation", "following_ended_reason"): _following_ended,
}
