"""Known vulnerabilities of the pinned packages, as the service that pip-audit asks has them."""

import json
from dataclasses import dataclass
from pathlib import Path

from portal.devtools.supply_chain.tools import Tools


@dataclass(frozen=True)
class Audit:
    """What is known: vulnerable packages with the ids, how many were audited, and which the service doesn't have."""

    vulnerable: list[str]
    audited: int
    not_audited: list[str]


def audit(tools: Tools, requirements: Path) -> Audit | None:
    """Ask about every package of a file; None when the service can't be reached."""
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
    done = tools.run("-m", "pip_audit", *options, "-r", str(requirements))
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
