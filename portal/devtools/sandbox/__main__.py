"""Runs both pretend platforms in one process until SIGTERM or SIGINT."""

import argparse
import signal
import sys
from pathlib import Path

from django.conf import settings

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.server import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_REDIRECT_URIS,
    LeverSandbox,
)
from portal.devtools.sandbox.seed import default_seed, read_seed
from portal.devtools.sandbox.server import is_loopback

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    options = parse(arguments)
    # The templates need Django's defaults, whatever settings module the environment names for the portal.
    if not settings.configured:
        settings.configure()
    try:
        seed = read_seed(options.seed) if options.seed else default_seed()
    except (OSError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    # Blocked for every thread and waited for below, so that none is interrupted halfway.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        lever = LeverSandbox(
            seed,
            host=options.host,
            port=options.lever_port,
            client_id=options.client_id,
            client_secret=options.client_secret,
            redirect_uris=tuple(options.redirect_uri or DEMO_REDIRECT_URIS),
            settings={"strict_perform_as": options.strict},
        )
        codescreen = CodeScreenSandbox(seed, host=options.host, port=options.codescreen_port)
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


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m portal.devtools.sandbox", description=__doc__)
    parser.add_argument("--lever-port", type=int, default=9001)
    parser.add_argument("--codescreen-port", type=int, default=9002)
    parser.add_argument("--host", type=loopback, default="127.0.0.1", help="a loopback address")
    parser.add_argument("--seed", type=Path, help="a JSON document in place of the built-in one")
    parser.add_argument("--client-id", default=DEMO_CLIENT_ID)
    parser.add_argument("--client-secret", default=DEMO_CLIENT_SECRET)
    parser.add_argument("--redirect-uri", action="append", help="may be given several times")
    parser.add_argument("--strict", action="store_true", help="perform_as on every write, active users only")
    return parser.parse_args(arguments)


def loopback(host: str) -> str:
    """Return a host if only this machine can reach it."""
    if not is_loopback(host):
        raise argparse.ArgumentTypeError(f"{host} is not a loopback address")
    return host


if __name__ == "__main__":
    sys.exit(main())
