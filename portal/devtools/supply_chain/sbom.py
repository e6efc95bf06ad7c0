"""The SBOM: every package that a deployed portal consists of, with hashes and, where known, its licence."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

from portal.devtools.supply_chain.tools import Tools

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
