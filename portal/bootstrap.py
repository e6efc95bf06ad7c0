"""Makes and enters the checkout's own `.venv`, with nothing but Python's standard library, and with uv where it is.

`manage.py` calls `enter()` before it imports Django; `python3 -m portal.bootstrap` installs what `serve` needs. The
Python 3 that started it may be too old to run the portal, so this file keeps to what Python 3.8 can read.
"""

import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
from typing import Dict, List, Tuple

#: Which package lists a command needs and installs; every other command needs PRODUCTION and installs nothing.
PRODUCTION = ("production",)
DEVELOPER_LISTS = dict(
    dict.fromkeys(("test", "bench", "chaos", "check_code"), ("development",)), demo=("production", "demo")
)
#: In an environment that this module makes: which Python it is of, empty while it isn't complete.
OURS = "portal-made-with"
ENTERED_BY = "PORTAL_ENTERED_BY"
QUESTION = "import ensurepip, sys, venv; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))"


def enter(root: str) -> None:
    """Return in an environment that has the packages the command needs: set it up or re-execute if need be.

    An environment that somebody else made is used as it is. Exits with the command to run where packages are missing.
    """
    venv, names = os.path.join(root, ".venv"), needed_lists(root, sys.argv[1:])
    is_inside = os.path.realpath(sys.prefix) == os.path.realpath(venv)
    is_ours = is_inside and os.path.exists(os.path.join(venv, OURS))
    missing = lacking(root, names, is_ours)
    if not missing and (not is_ours or is_complete(venv)):
        return
    if not is_ours and sys.prefix != sys.base_prefix:
        lists = " ".join("-r " + list_path(root, name) for name in names)
        fix = "%s -m pip install --require-hashes %s" % (sys.executable, lists)
        raise SystemExit(
            "The environment in %s lacks: %s.\nInstall them there: %s\n(with uv: uv sync), or leave it."
            % (sys.prefix, ", ".join(missing), fix)
        )
    if is_inside or not os.access(python_of(venv), os.X_OK):
        if names == PRODUCTION:
            raise SystemExit(
                "Packages are missing. Install them: cd %s && python3 -m portal.bootstrap" % root
            )
        set_up(root, names)
    elif os.environ.get(ENTERED_BY) == str(os.getpid()):  # the process keeps its id
        raise SystemExit("%s doesn't lead into %s. Remove %s." % (python_of(venv), venv, venv))
    environ = dict(os.environ, **{ENTERED_BY: str(os.getpid())})
    environ.pop("PYTHONHOME", None)
    os.execve(python_of(venv), [python_of(venv)] + sys.argv, environ)


def needed_lists(root: str, arguments: List[str]) -> Tuple[str, ...]:
    """Return the names of the package lists that a command line needs; where the tools aren't deployed, PRODUCTION."""
    names = DEVELOPER_LISTS.get(arguments[0], PRODUCTION) if arguments else PRODUCTION
    return names if all(os.path.exists(list_path(root, name)) for name in names) else PRODUCTION


def lacking(root: str, names: Tuple[str, ...], is_exact: bool) -> List[str]:
    """Return which packages of the lists this Python lacks, or has in another version if it has to be exact."""
    installed: Dict[str, str] = {}
    for folder in filter(os.path.isdir, sys.path):
        found = [entry[:-10].rpartition("-") for entry in os.listdir(folder) if entry.endswith(".dist-info")]
        installed.update((_plain(package), version) for package, _, version in found)
    pins: List[Tuple[str, str]] = []
    for name in names:
        with open(list_path(root, name), encoding="utf-8") as file:
            # lines with a marker are for some machines only
            pins += re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)(?: \\)?$", file.read(), re.MULTILINE)
    found_versions = [(package, version, installed.get(_plain(package))) for package, version in pins]
    return [
        package for package, version, found in found_versions if not found or (is_exact and found != version)
    ]


def _plain(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def set_up(root: str, names: Tuple[str, ...]) -> None:
    """Bring `.venv` to package lists, one process at a time; one that was cut off is made anew."""
    venv = os.path.join(root, ".venv")
    try:
        lock = open(venv + ".lock", "a")  # noqa: SIM115 - closed below
    except OSError as error:
        raise SystemExit("%s can't be written: %s. Copy it to a folder of yours." % (root, error)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run to finish setting up…", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_complete(venv):
                return  # what it lacks nevertheless is seen in there
        _install(venv, [list_path(root, name) for name in names], lock.fileno())


def _install(venv: str, lists: List[str], lock: int) -> None:
    python, uv, is_new = python_of(venv), shutil.which("uv"), not is_complete(venv)
    if uv:
        maker = [uv, "venv", "--quiet", "--allow-existing", "--python", ">=3.12,<3.15", venv]
        pip = [uv, "pip", "install", "--python", python]
    else:
        maker = [find_python(), "-m", "venv", venv]
        pip = [python, "-m", "pip", "install", "--no-input"]
    if is_new:
        shutil.rmtree(venv, ignore_errors=True)
        os.makedirs(venv)
    # a complete one stays so while packages are added: what runs in it has all that it needs
    with open(os.path.join(venv, OURS), "w" if is_new else "r+", encoding="utf-8") as ours:
        print("Setting up .venv (first run only, about a minute)…", file=sys.stderr, flush=True)
        if is_new:
            _run(maker, lock)
        _run([*pip, "--quiet", "--require-hashes", *(word for path in lists for word in ("-r", path))], lock)
        ours.write(os.path.realpath(python))


def _run(argv: List[str], lock: int) -> None:
    """Run a step; exit if it fails. It inherits the lock: if this process is killed, the next run waits for it."""
    environ = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    environ.pop("PYTHONHOME", None)
    if subprocess.call(argv, env=environ, stdin=subprocess.DEVNULL, stdout=2, pass_fds=[lock]):
        raise SystemExit(
            "Setting up failed at: %s\nThe next run starts over. It needs the package registry."
            % " ".join(argv)
        )


def is_complete(venv: str) -> bool:
    """Whether this module has finished an environment, with the Python that it still has."""
    try:
        with open(os.path.join(venv, OURS), encoding="utf-8") as file:
            return os.access(python_of(venv), os.X_OK) and file.read() == os.path.realpath(python_of(venv))
    except OSError:
        return False


def find_python() -> str:
    """Return the path of a Python we support that can make environments; exit saying what to install."""
    names = ("python3.14", "python3.13", "python3.12", "python3")
    found = [getattr(sys, "_base_executable", sys.executable), *filter(None, map(shutil.which, names))]
    found += [
        "/usr/local/bin/python3",
        "/usr/bin/python3",
        *glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python3")),
    ]
    for path in filter(os.path.exists, found):
        if not subprocess.call(
            [path, "-I", "-c", QUESTION], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ):
            return path
    raise SystemExit(
        "The portal needs Python 3.12 to 3.14 that can make environments. On Debian 13: apt-get install python3-venv"
    )


def list_path(root: str, name: str) -> str:
    """Return the path of a hash-pinned package list."""
    return os.path.join(root, "portal", "requirements", name + ".txt")


def python_of(venv: str) -> str:
    """Return the path of an environment's Python."""
    return os.path.join(venv, "bin", "python")


if __name__ == "__main__":
    set_up(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), PRODUCTION)
