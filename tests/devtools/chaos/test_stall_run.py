"""What the run of kills does where the supervisor was faster."""

import subprocess
import sys
from unittest import mock

from portal.devtools.chaos.options import Options
from portal.devtools.chaos.stall_run import Wedge


def test_a_group_that_was_replaced_this_moment_is_killed_all_the_same(monkeypatch):
    gone, there = (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        for _ in range(2)
    )
    gone.kill()
    gone.wait()
    run = Wedge(mock.Mock(), mock.Mock(), Options(wedge=1), print)
    monkeypatch.setattr(run, "_until_up", mock.Mock(side_effect=[gone.pid, there.pid]))
    try:
        run._kill_group()
        assert there.wait(10) == -9
    finally:
        there.kill()
