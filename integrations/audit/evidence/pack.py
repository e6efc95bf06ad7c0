"""Write an evidence pack: a ZIP file whose every byte is accounted for."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from django.db import transaction
from django.template.loader import render_to_string

from integrations.audit.evidence import verify
from integrations.audit.evidence.selection import (
    Selection,
    files,
    lines,
    links,
    record,
    record_of_one,
)
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.store import database

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
