"""Starts the chaos command as a person does, and reads the table it prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def run_chaos(log: Path, *arguments: str, seconds: int = 400) -> dict[str, Any]:
    """Run `manage.py chaos` and return its JSON table; fails unless every promise held."""
    argv = [sys.executable, "manage.py", "chaos", *arguments, "--json", "--log", str(log)]
    run = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    table: dict[str, Any] = json.loads(run.stdout)
    return table


def run_every_point(*arguments: str) -> dict[str, Any]:
    """Run `manage.py chaos --every-point` and return its JSON report."""
    argv = [sys.executable, "manage.py", "chaos", "--every-point", *arguments, "--json"]
    run = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert run.stdout, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report
