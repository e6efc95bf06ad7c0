import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow  # it starts the demo as a process


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A demo whose folder is made in a folder of the test."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_"))
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=settings.BASE_DIR,
        env=environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_nothing_is_left_when_it_is_stopped_while_the_history_is_made(
    demo: "subprocess.Popen[str]", tmp_path: Path
):
    printed = ""
    for line in demo.stdout or ():
        printed += line
        if "Making two weeks of history" in line:
            break
    assert list(tmp_path.glob("codescreen-lever-demo-*")), printed
    time.sleep(0.5)
    demo.send_signal(signal.SIGTERM)
    rest = demo.stdout.read() if demo.stdout else ""
    assert demo.wait(30) == 0, printed + rest
    assert "Traceback" not in rest
    assert not list(tmp_path.glob("codescreen-lever-demo-*"))
