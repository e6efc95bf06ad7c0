"""Runs both pretend platforms in one process until SIGTERM or SIGINT."""

import argparse
import signal
import sys

from django.conf import settings

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.server import DEMO_REDIRECT_URIS, LeverSandbox

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m portal.devtools.sandbox", description=__doc__)
    parser.add_argument("--lever-port", type=int, default=9001)
    parser.add_argument("--codescreen-port", type=int, default=9002)
    parser.add_argument("--redirect-uri", action="append", help="may be given several times")
    options = parser.parse_args()
    # The templates need Django's defaults, whatever settings module the environment names for the portal.
    if not settings.configured:
        settings.configure()
    # Blocked for every thread and waited for below, so that none is interrupted halfway.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        lever = LeverSandbox(options.lever_port, tuple(options.redirect_uri or DEMO_REDIRECT_URIS))
        codescreen = CodeScreenSandbox(options.codescreen_port)
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    lever.start()
    codescreen.start()
    print(f"Sandbox is listening: Lever {lever.url} and CodeScreen {codescreen.url}", flush=True)
    signal.sigwait(STOP_SIGNALS)
    lever.stop()
    codescreen.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
