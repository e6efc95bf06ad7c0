import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "portal.devtools.sandbox", "--lever-port", "0", "--codescreen-port", "0"]
# The portal's environment must not get in the way of a process that knows nothing of the portal.
ENVIRONMENT = os.environ | {"DJANGO_SETTINGS_MODULE": "nowhere.settings"}


def test_it_prints_its_addresses_and_stops_on_sigterm():
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT)
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
        lever, codescreen = re.findall(r"http://127\.0\.0\.1:\d+", line)
        assert requests.get(f"{lever}/acme/candidates", timeout=30).status_code == 200
        assert requests.get(f"{codescreen}/acme/candidates", timeout=30).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
