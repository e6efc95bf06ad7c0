"""Write an evidence pack: a ZIP file whose every byte is accounted for, with a summary that people read."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from integrations.audit.evidence import verify
from integrations.audit.evidence.selection import (
    READ_AT_ONCE,
    Selection,
    files,
    lines,
    links,
    record,
    record_of_one,
)
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import Actor, AuditAction, AuditEntry, Changes
from integrations.clients.models import ApiCall
from integrations.codescreen.details import detail_lines
from integrations.core.vocabulary import Platform, lower_first
from integrations.effects.perform import kind_of
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models import Effect
from integrations.store import database

#: When something happened, what it was, and more about it.
type Event = tuple[datetime, str, str]

ERASED = "The text was erased."
#: What of a delivery isn't told, and may be long.
_LONG = ("payload", "facts", "traceback")
NOBODY = "Nobody entered a CodeScreen stage."


def summary(selection: Selection) -> Iterator[bytes]:
    """Yield the page in parts: the heading, a row for each candidate, a row for each thing that happened, the end."""
    yield render_to_string(
        "evidence/summary_head.html",
        {"organization": selection.organization, "selection": selection.description},
    ).encode()
    yield from _candidates(selection)
    yield render_to_string("evidence/summary_events.html").encode()
    for at, what, more in merge(*_events(selection)):
        yield _row(_in_utc(at), what, more)
    yield b"</tbody>\n</table>\n</body>\n</html>\n"


def _row(*cells: str) -> bytes:
    return format_html(
        "<tr>{}</tr>\n", format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))
    ).encode()


def _in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


# the candidates


def _candidates(selection: Selection) -> Iterator[bytes]:
    is_empty = True
    candidates = selection.candidates.select_related("delivery", "invitation").order_by("entered_at", "pk")
    candidates = candidates.defer(*(f"delivery__{name}" for name in _LONG))
    for candidate in candidates.iterator(chunk_size=READ_AT_ONCE):
        is_empty = False
        yield _row(
            _name(candidate),
            candidate.role_title,
            f"{candidate.stage_name}, {_in_utc(candidate.entered_at)}",
            candidate.assessment_name,
            _standing(candidate),
            candidate.opportunity_id,
        )
    if is_empty:
        yield _row(NOBODY, "", "", "", "", "")


def _name(candidate: Candidate) -> str:
    if candidate.erased_at is not None:
        return f"Erased on {_in_utc(candidate.erased_at)}"
    return f"{candidate.name} <{candidate.email}>" if candidate.email else candidate.name


def _standing(candidate: Candidate) -> str:
    if candidate.invitation is None:
        return (
            f"Not invited: {candidate.delivery.get_verdict_display()}"
            if candidate.delivery
            else "Not invited"
        )
    status = candidate.invitation.get_status_display()
    return f"{status}: {candidate.outcome}" if candidate.outcome else status


# what happened


def _events(selection: Selection) -> Iterator[Iterator[Event]]:
    yield _each(selection.deliveries, "received_at", _received)
    verdicts = selection.verdicts.select_related("delivery").defer(*(f"delivery__{name}" for name in _LONG))
    yield _each(verdicts, "decided_at", _decided)
    for column, told in _STEPS.items():
        yield _each(selection.invitations.filter(**{f"{column}__isnull": False}), column, told)
    yield _each(selection.effects, "created_at", _intended)
    yield _each(selection.effects.filter(done_at__isnull=False), "done_at", _performed)
    yield _each(selection.results.select_related("invitation"), "created_at", _stated)
    yield _each(selection.calls, "at", _called)
    yield _each(selection.acts(), "at", _acted)


def _each[Row: Any](
    rows: QuerySet[Row], time_column: str, told: Callable[[Row], tuple[str, str]]
) -> Iterator[Event]:
    for row in rows.order_by(time_column, "pk").iterator(chunk_size=READ_AT_ONCE):
        yield getattr(row, time_column), *told(row)


def _about(opportunity_id: str) -> str:
    return f"opportunity {opportunity_id}" if opportunity_id else "no opportunity"


def _received(delivery: Delivery) -> tuple[str, str]:
    more = f"delivery {delivery.pk}, {_about(delivery.opportunity_id)}"
    return f"Received from {delivery.get_platform_display()}: {delivery.event}", more


def _decided(verdict: Verdict) -> tuple[str, str]:
    text = ERASED if verdict.is_erased else verdict.explanation
    place = f"delivery {verdict.delivery_id}, {_about(verdict.delivery.opportunity_id)}, position {verdict.position}"
    return f"Decided: {verdict.get_code_display()}", f"{text} ({place})"


def _journey(invitation: Invitation) -> str:
    return (
        f"{invitation.assessment_name}, round {invitation.round} (invitation {invitation.pk}, "
        f"{_about(invitation.opportunity_id)})"
    )


#: By the column of an invitation with the time of a step: what happened then.
_STEPS: dict[str, Callable[[Invitation], tuple[str, str]]] = {
    "invited_at": lambda invitation: ("Invited", _journey(invitation)),
    "bounced_at": lambda invitation: ("Bounced", _journey(invitation)),
    "started_at": lambda invitation: ("Started", _journey(invitation)),
    "completed_at": lambda invitation: ("Completed", _journey(invitation)),
    "following_ended_at": lambda invitation: (
        f"CodeScreen is no longer asked: {invitation.get_following_ended_display()}",
        _journey(invitation),
    ),
}


def _intended(effect: Effect) -> tuple[str, str]:
    more = f"effect {effect.pk}, {_about(effect.opportunity_id)}, now {effect.shown_state}"
    return f"To be done: {_kind(effect)}", more


def _performed(effect: Effect) -> tuple[str, str]:
    attempts = "1 attempt" if effect.attempts == 1 else f"{effect.attempts} attempts"
    return f"Done: {_kind(effect)}", f"effect {effect.pk}, {_about(effect.opportunity_id)}, after {attempts}"


def _kind(effect: Effect) -> str:
    kind = str(effect.get_kind_display())
    record = kind_of(effect)
    about = ", ".join(record.words(effect).tags) or record.topic(effect, None)
    return f"{kind} ({about})" if about else kind


def _stated(result: Result) -> tuple[str, str]:
    stated = [result.outcome or "no result stated"]
    stated += [] if result.bar is None else [lower_first(result.headline)]
    stated += [f"score {result.score.normalize():f}"] if result.score is not None else []
    stated += [result.failure_reason] if result.failure_reason else []
    stated += map(": ".join, detail_lines(result.details))
    return (
        "CodeScreen stated a result",
        f"{', '.join(stated)}, attempt {result.attempt}: {_journey(result.invitation)}",
    )


def _called(call: ApiCall) -> tuple[str, str]:
    called = Platform(call.platform).label if call.platform in Platform else "an address for alerts"
    answer = f"{call.status or call.error or 'no answer'}, {call.duration_ms} ms"
    if call.last_at is not None:
        answer += f"; the same answer × {call.repeats} since, last {_in_utc(call.last_at)}"
    return f"Called {called}: {call.method} {call.path}", answer


def _acted(entry: AuditEntry) -> tuple[str, str]:
    text = ERASED if entry.is_erased else ": ".join(filter(None, (entry.target, entry.reason)))
    return f"{entry.actor_name}: {entry.get_action_display()}", f"{text} (position {entry.position})"


#: The time that every file in the ZIP file has: the same rows make the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class FileExists(Exception):
    """There is a file of that name already; the message has the fix."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already. Choose another name, or remove it first.")


@dataclass
class _Writer:
    """Adds files to the ZIP file, and remembers what the manifest says about them."""

    archive: zipfile.ZipFile
    files: dict[str, dict[str, object]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, parts: Iterable[bytes]) -> int:
        """Write one file from its parts; return how many there were."""
        digest, size, count = hashlib.sha256(), 0, 0
        entry = zipfile.ZipInfo(name, _NO_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        with self.archive.open(entry, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                digest.update(part)
                size, count = size + len(part), count + 1
        self.files[name] = {"bytes": size, "sha256": digest.hexdigest()}
        return count

    def add_rows(self, name: str, lines: Iterable[bytes]) -> None:
        """Write one file with a row on each line."""
        self.rows[name] = self.add(name, lines)


def write_pack(selection: Selection, path: Path, actor: Actor) -> tuple[dict[str, int], str]:
    """Write the pack to a new file that its owner alone can read, and record that in the audit log.

    Return the number of rows by file, and the SHA-256 of the manifest. The file appears when it is complete. Raises
    FileExists, and OSError where it can't be written.
    """
    if path.exists():
        raise FileExists(path)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            writer = _Writer(archive)
            digest = _write(selection, writer)
        with transaction.atomic():
            about = selection.description | {"manifest_sha256": digest}
            changes: Changes = {name: (None, text) for name, text in about.items()}
            audit(selection.organization, actor, AuditAction.EXPORT_EVIDENCE, changes)
            try:
                os.link(temporary, path)
            except FileExistsError as error:
                raise FileExists(path) from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return writer.rows, digest


def _write(selection: Selection, writer: _Writer) -> str:
    """Write every file; return the SHA-256 of the manifest."""
    # the chain after the rows: an erasure in between is then on record in what follows
    told = record_of_one if selection.is_of_one else record
    for name, rows in files(selection).items():
        writer.add_rows(name, lines(rows, told))
    chain = _add_chain(selection, writer)
    writer.add("summary.html", summary(selection))
    writer.add("verify.py", [Path(verify.__file__).read_bytes()])
    about = {
        "organization": selection.organization.slug,
        "organization_id": selection.organization.pk,
        "selection": selection.description,
        "made_at": database.now().astimezone(UTC).isoformat(timespec="seconds"),
        "chain": chain,
        "rows": writer.rows,
    }
    readme = render_to_string("evidence/README.txt", about)
    writer.add("README.txt", [readme.encode()])
    described = dict(sorted(writer.files.items()))
    manifest = json.dumps({**about, "files": described}, ensure_ascii=False, indent=2).encode() + b"\n"
    writer.add(verify.MANIFEST, [manifest])
    digest = hashlib.sha256(manifest).hexdigest()
    writer.add(verify.DIGEST, [f"{digest}\n".encode()])
    return digest


def _add_chain(selection: Selection, writer: _Writer) -> dict[str, object]:
    """Write the chain from the first selected row to its head; return where it begins and ends."""
    organization = selection.organization
    head = ChainHead.objects.filter(pk=organization.pk).first() or ChainHead(chain=organization.pk)
    chained = (selection.verdicts, selection.audit_entries())
    starts = [rows.order_by("position").values_list("position", "previous_hash").first() for rows in chained]
    first, previous = min((start for start in starts if start), default=(head.position + 1, head.hash))
    writer.add_rows("chain.jsonl", links(organization.pk, first, head.position))
    return {"first": first, "previous": previous, "last": head.position, "head": head.hash}
