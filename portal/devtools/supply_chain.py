"""What is deployed: its pinned packages, their SBOM and vulnerabilities, and migrations beside a portal that serves."""

import json
import re
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.migrations import AddConstraint, AddIndex, CreateModel, Migration, RunPython, RunSQL
from django.db.migrations.operations.base import Operation

TOOLS = settings.BASE_DIR / "portal" / "requirements" / "supply_chain.txt"


class Tools:
    """An environment with the pinned tools. Raises subprocess.CalledProcessError when they can't be installed."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self._python = str(folder / "bin" / "python")
        self.run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(TOOLS)).check_returncode()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments in the repository; return how it ended and what it printed."""
        return subprocess.run(
            [self._python, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )


_PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]+\])?==\S+")


def unpinned(path: Path) -> list[str]:
    """Return the requirements of a file that aren't pinned to one version with a hash."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [line for line in wanted if not (_PINNED.match(line) and "--hash=sha256:" in line)]


def yanked(*paths: Path) -> list[str] | None:
    """Return the packages of the files that their authors have withdrawn; None when the index can't be asked."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    argv = [*pip, "--require-hashes", "--report", "-", *_read_from(paths)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return [
        f"{item['metadata']['name']} {item['metadata']['version']}"
        for item in json.loads(done.stdout)["install"]
        if item.get("is_yanked")
    ]


def _read_from(paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in ("-r", str(path))]


LONGEST_LICENCE = 80

_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
raise SystemExit(str(error) if error else 0)
"""


def write_sbom(tools: Tools, requirements: Path, project: Path, target: Path) -> str:
    """Write the SBOM in CycloneDX's JSON; return why it is not valid, empty when it is."""
    options = ["--pyproject", str(project), "--of", "JSON", "--sv", "1.6", "--output-reproducible"]
    made = tools.run("-m", "cyclonedx_py", "requirements", *options, str(requirements))
    if made.returncode:
        return made.stderr.strip()
    document = json.loads(made.stdout)
    for component in document["components"]:
        component.pop("description", None)  # it repeats the requirement with all its hashes
        if licences := licences_of(component["name"]):
            component["licenses"] = licences
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return tools.run("-c", _VALIDATE, str(target)).stderr.strip()


def licences_of(package: str) -> list[dict[str, Any]]:
    """Return a package's licence as CycloneDX has it; nothing for one that isn't installed or doesn't say."""
    try:
        stated = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return []
    if expression := stated.get("License-Expression"):
        return [{"expression": expression}]
    name = (stated.get("License") or "").strip()
    if not name or len(name) > LONGEST_LICENCE or "\n" in name:
        classifiers = [line for line in stated.get_all("Classifier") or [] if line.startswith("License ::")]
        name = classifiers[0].rpartition(" :: ")[2] if classifiers else ""
    return [{"license": {"name": name}}] if name else []


@dataclass(frozen=True)
class Audit:
    """What is known: vulnerable packages with the ids, how many were audited, and which the service doesn't have."""

    vulnerable: list[str]
    audited: int
    not_audited: list[str]


def audit(tools: Tools, *requirements: Path) -> Audit | None:
    """Ask about every package of the files; None when the service can't be reached."""
    options = [
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
        "-f",
        "json",
        "--timeout",
        "20",
    ]
    done = tools.run("-m", "pip_audit", *options, *_read_from(requirements))
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return read_audit(packages)


def read_audit(packages: list[dict[str, object]]) -> Audit:
    """Return what pip-audit's list of packages says."""
    vulnerable, skipped = [], []
    for package in packages:
        name = str(package["name"])
        found = package.get("vulns")
        if "skip_reason" in package:
            skipped.append(name)
        elif isinstance(found, list) and found:
            vulnerable.append(
                f"{name} {package.get('version')}: {', '.join(str(one['id']) for one in found)}"
            )
    return Audit(vulnerable, len(packages) - len(skipped), skipped)


FIRST = "0001_initial"


def problems(migrations: Iterable[Migration]) -> list[str]:
    """Return a sentence for each migration that would hold the portal up; no release ran before the first one."""
    return [problem for one in migrations if one.name != FIRST for problem in _problems(one)]


def _problems(migration: Migration) -> Iterator[str]:
    operations = migration.operations
    tables = {_table(operation) for operation in operations}
    if migration.atomic and len(tables) > 1:
        yield (
            f"{migration}: it changes {' and '.join(sorted(tables))} in one transaction, which holds the lock of one "
            "while it waits for the other. Write a migration for each."
        )
    if not migration.atomic and len(operations) > 1:
        yield f"{migration}: without a transaction it can't be tried again half-way. Write one for each operation."
    if migration.atomic and any(isinstance(one, RunPython | RunSQL) for one in operations):
        yield f"{migration}: it locks every row that it changes until its end. Say atomic = False, and change batches."
    if not all(operation.reversible for operation in operations):
        yield f"{migration}: it can't be undone, so that nobody can go back. Say what undoes it."
    new = {one.name_lower for one in operations if isinstance(one, CreateModel)}
    for one in operations:
        if type(one) in _BESIDE and _table(one) not in new:
            yield f"{migration}: it reads the whole table under a lock. Use {_BESIDE[type(one)]}."


#: What does the same while others write; upgrade_rehearsal/operations.py has both for SQLite too.
_BESIDE = {
    AddIndex: "AddIndexConcurrently",
    AddConstraint: "AddConstraintNotValid and ValidateConstraint, for a unique one an index",
}


def _table(operation: Operation) -> str:
    """Return whose table an operation changes; of SQL and of Python code that can't be told."""
    if isinstance(operation, RunPython | RunSQL):
        return type(operation).__name__
    name = getattr(operation, "model_name", None) or getattr(operation, "name", type(operation).__name__)
    return str(name).lower()
