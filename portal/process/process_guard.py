"""Stands between the supervisor and one program, so that the program never outlives the supervisor.

Run as `python -I process_guard.py LIFELINE PROGRAM…` at the head of a process group of its own. LIFELINE is the reading
end of a pipe whose writing end only the supervisor holds: however that one dies, the pipe closes, and the whole
group is killed with whatever the program has started.
"""

import os
import signal
import subprocess
import sys
import threading


def main(lifeline: int, program: list[str]) -> int:
    """Run the program; return its exit code. TERM goes to the program alone, which ends its own workers."""
    process = subprocess.Popen(program)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=kill_the_group_at_the_end_of, args=[lifeline], daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def kill_the_group_at_the_end_of(lifeline: int) -> None:
    """Wait until the supervisor is gone, then leave nothing of this group running."""
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
