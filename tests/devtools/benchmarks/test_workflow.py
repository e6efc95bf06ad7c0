"""`manage.py bench workflow` with a few invitations: the whole workflow runs."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command


@pytest.mark.nightly
@pytest.mark.slow
def test_a_small_run_prints_a_table():
    command = [sys.executable, "manage.py", "bench", "workflow", "--invitations", "16", "--rounds", "2"]
    run = subprocess.run(
        [*command, "--past", "8"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "÷ a bare loop of the calls" in run.stdout


def test_a_server_that_does_not_answer_is_named():
    with pytest.raises(CommandError, match="No database could be made on that server") as refused:
        call_command("bench", "workflow", "--database-url", "postgresql://127.0.0.1:1/x")
    assert refused.value.returncode == 1
