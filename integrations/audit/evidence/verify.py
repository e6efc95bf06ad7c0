"""Verify an evidence pack: `python3 -I verify.py` in the folder that it was unpacked into.

Needs Python 3.8 or later and nothing else. Prints what was altered and exits 1, or says that nothing was and exits 0.
How the hashes are made is in README.txt.
"""

import sys

# Python looks for modules in the script's folder first. Whatever was put there must be found by what follows, and not
# be a part of it; `sys` itself is built in.
if __name__ == "__main__" and not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST, DIGEST, VERIFIER = "manifest.json", "manifest.sha256", "verify.py"
FORMAT = 1
NO_HASH = "0" * 64
#: By kind: the file with the rows of the selection, and the columns that hold text about people.
KINDS = {
    "audit_entry": ("audit_entries.jsonl", ("target", "changes", "reason")),
    "verdict": ("verdicts.jsonl", ("explanation", "assessment_written")),
}
#: Text about people where the link doesn't have it: who acted on an account.
ELSE_TEXT = {"audit_entry": ("actor_name",), "verdict": ()}
ERASE, ERASED_POSITIONS = "erase", "erased_positions"
REMOVE_OLD = "remove_old"


class Pack:
    """The unpacked folder, and what was found to be altered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults = 0

    def fault(self, text: str) -> None:
        self.faults += 1
        sys.stdout.write("ALTERED: " + text + "\n")

    def lines(self, name: str) -> "Iterator[dict[str, Any]]":
        """Yield the rows of a file; one that is no row is a fault."""
        path = self.folder / name
        if not path.is_file():
            return
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    row = json.loads(text.decode("utf-8"))
                    if not isinstance(row, dict):
                        raise ValueError("it is no object")
                except ValueError:
                    self.fault(f"{name}, line {number}: it can't be read")
                else:
                    yield row


def canonical(value: Any) -> bytes:
    """Return the one way to write a JSON value that hashes are made of."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def check_files(pack: Pack) -> "dict[str, Any]":
    """Compare every file with the manifest, and the manifest with its own digest. Return the manifest."""
    manifest, digest = pack.folder / MANIFEST, pack.folder / DIGEST
    if not manifest.is_file() or not digest.is_file():
        pack.fault(f"{MANIFEST} or {DIGEST} is missing")
        return {}
    if digest.read_bytes() != (sha256_of(manifest) + "\n").encode():
        pack.fault(f"{MANIFEST} or {DIGEST}: they don't fit each other")
    try:
        content = json.loads(manifest.read_bytes().decode("utf-8"))
        files = {
            str(name): (int(file["bytes"]), str(file["sha256"])) for name, file in content["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        pack.fault(f"{MANIFEST}: it can't be read")
        return {}
    for name, (size, expected) in sorted(files.items()):
        path = pack.folder / name
        if not path.is_file():
            pack.fault(f"{name} is missing")
        elif path.stat().st_size != size or sha256_of(path) != expected:
            pack.fault(f"{name}: it isn't the file that was packed")
    known = {*files, MANIFEST, DIGEST}
    for path in sorted(pack.folder.rglob("*")):
        name = path.relative_to(pack.folder).as_posix()
        if path.is_file() and name not in known:
            pack.fault(f"{name} was added")
    return content if isinstance(content, dict) else {}


def row_fits_link(row: "dict[str, Any]", link: "dict[str, Any]", texts: "tuple[str, ...]") -> "str | None":
    """Return what of a row doesn't fit its link; None when it fits."""
    columns: dict[str, Any] = link["row"]
    for name in columns:
        if row.get(name) != columns[name]:
            return f"{name} differs from the chain"
    for mine, theirs in (("hash", "hash"), ("previous_hash", "previous"), ("text_digest", "text")):
        if row.get(mine) != link[theirs]:
            return f"{mine} differs from the chain"
    if not row.get("text_salt"):
        return "its text was put back after its erasure" if any(row.get(name) for name in texts) else None
    try:
        salt = bytes.fromhex(row["text_salt"])
        digest = hashlib.sha256(salt + canonical({name: row.get(name) for name in texts})).hexdigest()
    except (ValueError, TypeError):
        digest = ""
    return None if digest == link["text"] else "its text was changed"


def link_hash(link: "dict[str, Any]") -> str:
    """Return the hash that a link should have."""
    keys = ("chain", "position", "previous", "kind", "row", "text")
    return hashlib.sha256(canonical({"format": FORMAT, **{key: link[key] for key in keys}})).hexdigest()


class Rows:
    """The rows of one kind, by rising position, beside a walk along the chain."""

    def __init__(self, pack: Pack, kind: str) -> None:
        self.pack, self.kind = pack, kind
        self.file, self.texts = KINDS[kind]
        self._rows = pack.lines(self.file)
        self._next = next(self._rows, None)
        self.count = 0

    def take(self, position: int) -> "list[dict[str, Any]]":
        """Return the rows at that position. Those before it are in no link: each is a fault."""
        found = []
        while self._next is not None:
            at = self._next.get("position")
            if isinstance(at, int) and at > position:
                break
            if at == position:
                found.append(self._next)
            else:
                self.report(self._next, "the chain has no such row")
            self._next = next(self._rows, None)
            self.count += 1
        return found

    def report_rest(self) -> None:
        while self._next is not None:
            self.report(self._next, "the chain has no such row")
            self._next = next(self._rows, None)

    def report(self, row: "dict[str, Any]", what: str) -> None:
        kind = self.kind.replace("_", " ")
        self.pack.fault(f"{self.file}, {kind} {row.get('id')} at position {row.get('position')}: {what}")


class Chain:
    """A walk along the chain, with the rows of the selection beside it."""

    def __init__(self, pack: Pack, manifest: "dict[str, Any]") -> None:
        self.pack = pack
        stated = manifest.get("chain")
        self.stated: dict[str, Any] = stated if isinstance(stated, dict) else {}
        self.position = self.stated.get("first", 1) - 1
        self.hash = self.stated.get("previous", NO_HASH)
        self.rows = {kind: Rows(pack, kind) for kind in KINDS}
        self.erased: list[tuple[Rows, dict[str, Any]]] = []
        self.covered: list[tuple[int, int]] = []
        self.removed: dict[str, str] = {}
        self.links = 0

    def check(self) -> None:
        """Check each link and each row, and where the chain ends."""
        for link in self.pack.lines("chain.jsonl"):
            self.links += 1
            try:
                self.visit(link)
            except (KeyError, TypeError, ValueError):
                self.pack.fault(f"chain.jsonl, position {link.get('position')}: it can't be read")
        for rows in self.rows.values():
            rows.report_rest()
        if (self.position, self.hash) != (self.stated.get("last"), self.stated.get("head")):
            self.pack.fault(f"chain.jsonl: it doesn't end with the head in {MANIFEST}")
        for rows, row in self.erased:
            if not any(first <= row["position"] <= last for first, last in self.covered):
                rows.report(row, "its text is missing, and no record of an erasure names it")

    def visit(self, link: "dict[str, Any]") -> None:
        """Check one link and its row. Raises KeyError, TypeError or ValueError for what is no link."""
        name = f"chain.jsonl, position {int(link['position'])}"
        if link_hash(link) != link["hash"]:
            self.pack.fault(f"{name}: it doesn't fit its hash")
        if link["position"] != self.position + 1 or link["previous"] != self.hash:
            self.pack.fault(f"{name}: it doesn't follow position {self.position}")
        self.position, self.hash = link["position"], link["hash"]
        rows = self.rows[link["kind"]]
        texts = rows.texts + tuple(name for name in ELSE_TEXT[rows.kind] if name not in link["row"])
        for row in rows.take(self.position):
            wrong = row_fits_link(row, link, texts)
            if wrong:
                rows.report(row, wrong)
            elif not row["text_salt"]:
                self.erased.append((rows, row))
            elif row.get("action") == ERASE:
                self.covered += erased_ranges(row)
            elif row.get("action") == REMOVE_OLD:
                self.removed.update({what: until for what, (_, until) in row["changes"].items()})

    def __str__(self) -> str:
        counts = ", ".join(f"{rows.count} rows of {rows.file}" for rows in self.rows.values())
        return f"{self.links} links of the chain; {counts}, the text of {len(self.erased)} erased"


def erased_ranges(row: "dict[str, Any]") -> "list[tuple[int, int]]":
    """Return the positions, from first to last, whose erasure an entry records."""
    changes = row.get("changes")
    value = changes.get(ERASED_POSITIONS) if isinstance(changes, dict) else None
    ranges = value[1] if isinstance(value, list) and len(value) == 2 and isinstance(value[1], list) else []
    return [(item[0], item[1]) for item in ranges if isinstance(item, list) and len(item) == 2]


def main() -> int:
    """Verify the pack in this file's folder. Return 0 when nothing was altered, else 1."""
    pack = Pack(Path(__file__).resolve().parent)
    manifest = check_files(pack)
    chain = Chain(pack, manifest)
    if manifest:
        chain.check()
    if pack.faults:
        sys.stdout.write(f"{pack.faults} alterations were found.\n")
        return 1
    sys.stdout.write(f"Nothing was altered: {len(manifest['files'])} files; {chain}.\n")
    for what, until in sorted(chain.removed.items()):
        sys.stdout.write(f"Missing on purpose, removed by age: {what} {until}.\n")
    sys.stdout.write(f"The manifest's SHA-256 is {sha256_of(pack.folder / MANIFEST)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
