"""The pinned packages: each with hashes, none withdrawn by its author."""

import json
import re
import subprocess
import sys
from pathlib import Path

_PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]+\])?==\S+")


def unpinned(path: Path) -> list[str]:
    """Return the requirements of a file that aren't pinned to one version with a hash."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [line for line in wanted if not (_PINNED.match(line) and "--hash=sha256:" in line)]


def yanked(path: Path) -> list[str] | None:
    """Return the packages of a file that their authors have withdrawn; None when the index can't be asked."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    argv = [*pip, "--require-hashes", "--report", "-", "-r", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return [
        f"{item['metadata']['name']} {item['metadata']['version']}"
        for item in json.loads(done.stdout)["install"]
        if item.get("is_yanked")
    ]
