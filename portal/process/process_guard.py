"""Runs one program for the supervisor, so that the program never outlives the supervisor.

Run as `python -I process_guard.py LIFELINE PROGRAM…` at the head of a process group of its own. LIFELINE is the reading
end of a pipe whose writing end only the supervisor has. When the supervisor dies, for whatever reason, the pipe closes,
and the guard kills the whole group: the program and everything it has started.
"""

import os
import signal
import subprocess
import sys
import threading


def main(lifeline: int, program: list[str]) -> int:
    """Run the program and return its exit code. TERM is passed to the program alone, which ends its own workers."""
    # blocked until there is a program that it can be passed to
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    process = subprocess.Popen(program, preexec_fn=unblock)  # noqa: PLW1509 - no thread runs yet
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    unblock()
    threading.Thread(target=kill_group_when_closed, args=[lifeline], daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def unblock() -> None:
    """Let TERM through again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def kill_group_when_closed(lifeline: int) -> None:
    """Wait until the supervisor's end of the pipe is closed, then kill this process group."""
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
