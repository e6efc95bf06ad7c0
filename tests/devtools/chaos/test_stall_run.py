"""The kills of the stall run."""

import subprocess
import sys
from unittest import mock

from portal.devtools.chaos.run import Options
from portal.devtools.chaos.stall_run import StallRun


def test_the_new_group_is_killed_when_the_supervisor_has_just_replaced_the_old_one(monkeypatch):
    ended, running = (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        for _ in range(2)
    )
    ended.kill()
    ended.wait()
    run = StallRun(mock.Mock(), mock.Mock(), Options(stall=1), print)
    monkeypatch.setattr(run, "_wait_for_workers", mock.Mock(side_effect=[ended.pid, running.pid]))
    try:
        run._kill_group()
        assert running.wait(10) == -9
    finally:
        running.kill()
