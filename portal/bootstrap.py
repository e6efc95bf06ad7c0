"""Makes and enters the checkout's own `.venv`, with nothing but Python's standard library.

`manage.py` calls `enter()` before it imports Django. The Python 3 that started it may be too old to run the portal,
so this file keeps to what Python 3.8 can read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib import metadata
from typing import Dict, Iterator, List, Optional, Tuple

OLDEST = (3, 12)
NEWEST = (3, 14)
DJANGO = "6.1"

#: They need the development list; every other command needs the production list.
DEVELOPER_COMMANDS = ("demo", "test", "bench", "chaos", "check_code", "supply_chain")

STAMP = "portal-stamp.json"
LOOP_GUARD = "PORTAL_ENTERED_BY"
PIP_OPTIONS = ["--no-input", "--disable-pip-version-check", "--require-hashes", "--progress-bar", "off"]
#: While packages are downloaded, how far that is gets printed about so often.
REPORT_SECONDS = 4.0

Interpreter = Tuple[str, Tuple[int, int], bool]  # path, version, able to make environments


def enter(root: str) -> None:
    """Return in an environment that has the packages the command needs; set it up and re-execute if need be.

    Another virtual environment is used as it is, and so are uv's `.venv` and a Python with the right Django, as in
    a container: if packages are missing there, this exits with their names.
    """
    venv = os.path.join(root, ".venv")
    name = needed_list(root, sys.argv[1:])
    is_ours = not is_made_by_uv(venv)
    if is_inside(venv) and is_ours:
        if is_fresh(root, name):
            return
    elif sys.prefix != sys.base_prefix or installed("django").startswith(DJANGO + "."):
        require_packages(root, name)
        return
    if os.environ.get(LOOP_GUARD) == str(os.getpid()):
        raise SystemExit("%s does not lead into %s. Remove %s and try again." % (python_of(venv), venv, venv))
    if is_ours and not is_fresh(root, name):
        set_up(root, name)
    # The process keeps its id across exec, so the guard means "this very process has been here before".
    environ = dict(os.environ, **{LOOP_GUARD: str(os.getpid())})
    environ.pop("PYTHONHOME", None)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(python_of(venv), [python_of(venv)] + sys.argv, environ)


def needed_list(root: str, arguments: List[str]) -> str:
    """Return the name of the package list that a command line needs: "development" or "production"."""
    is_developer_command = bool(arguments) and arguments[0] in DEVELOPER_COMMANDS
    if is_developer_command and os.path.exists(path_of_list(root, "development")):
        return "development"
    return "production"


def set_up(root: str, name: str) -> None:
    """Build `.venv` with a package list, one process at a time.

    The stamp is written last: a build that was cut off has none, and is started over.
    """
    with locked(root, name) as lock:
        if is_fresh(root, name):
            return
        venv = os.path.join(root, ".venv")
        stamp = os.path.join(venv, STAMP)
        report("Setting up (first run only, about a minute)…")
        steps = Steps(lock)
        if os.path.exists(stamp) and interpreter_is_unchanged(venv):
            # Only the packages differ: installing over them doesn't disturb processes that run in there. A production
            # list that is there stays there, since the development list has the same versions.
            if not is_fresh(root, "production"):
                os.remove(stamp)
        else:
            shutil.rmtree(venv, ignore_errors=True)
            steps.run("Making an environment in .venv", [find_interpreter(), "-m", "venv", venv])
        packages = path_of_list(root, name)
        steps.run(
            "Reading the list of packages",
            [python_of(venv), "-m", "pip", "install", *PIP_OPTIONS, "--requirement", packages],
            count_packages(packages),
        )
        with open(stamp + ".new", "w", encoding="utf-8") as file:
            json.dump(make_stamp(root, name), file)
        os.replace(stamp + ".new", stamp)


class Steps:
    """The steps of the set-up: each is printed with the seconds since the set-up began."""

    def __init__(self, lock: int) -> None:
        self._lock = lock
        self._began_at = time.monotonic()

    def run(self, text: str, argv: List[str], packages: int = 0) -> None:
        """Run one step; exit with the end of its output if it fails. `packages` is how many it installs.

        The step inherits the lock: if this process is killed, the next run waits for the step before it starts over.
        """
        self.report(text)
        environ = dict(os.environ, PIP_USER="0")
        environ.pop("PYTHONHOME", None)
        with subprocess.Popen(
            argv,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[self._lock],
            universal_newlines=True,
            errors="replace",
        ) as step:
            last_lines = self._follow(step, packages)
        if step.returncode:
            raise SystemExit(
                "%s\n\nSetting up failed at: %s\nThe next run starts the set-up over. It needs the Python package "
                "registry, as pip is configured here." % ("\n".join(last_lines), " ".join(argv))
            )

    def _follow(self, step: "subprocess.Popen[str]", packages: int) -> List[str]:
        """Print how far the step is, as it prints that itself; return the last lines of its output."""
        last_lines: List[str] = []
        found, reported_at = 0, time.monotonic()
        for line in step.stdout or ():
            last_lines = last_lines[-19:] + [line.rstrip()]
            found += line.startswith("Collecting ")
            if line.startswith("Installing collected packages"):
                self.report("Installing %d packages" % packages)
                found = 0  # none is downloaded any more
            elif found and time.monotonic() - reported_at >= REPORT_SECONDS:
                reported_at = time.monotonic()
                self.report("Downloading packages: %d of %d" % (found, packages))
        return last_lines

    def report(self, text: str) -> None:
        """Print what begins now."""
        report("  %5.1f s  %s" % (time.monotonic() - self._began_at, text))


def report(text: str) -> None:
    """Print a line for the person who waits; standard output is the command's."""
    print(text, file=sys.stderr, flush=True)


def count_packages(path: str) -> int:
    """Return how many packages a list has: each line that isn't a comment or the rest of the line before."""
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if line[:1] not in ("", "#", " ", "\n", "-"))


@contextlib.contextmanager
def locked(root: str, name: str) -> Iterator[int]:
    """Hold the checkout's set-up lock; yields its file descriptor."""
    path = os.path.join(root, ".venv.lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        raise SystemExit(
            "%s can't be written, so no environment can be set up in it. Copy it to a place of your own, or make "
            "an environment elsewhere:\n  python3 -m venv ~/portal-venv\n  ~/portal-venv/bin/pip install "
            "--require-hashes -r %s\n  ~/portal-venv/bin/python %s"
            % (root, path_of_list(root, name), os.path.join(root, "manage.py"))
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Waiting for another run to finish setting up…")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def find_interpreter() -> str:
    """Return the path of a Python we support that can make environments; exit saying what to install."""
    found: List[Interpreter] = []
    for path in candidates():
        interpreter = probe(path)
        if interpreter is None:
            continue
        found.append(interpreter)
        path, version, can_make_environments = interpreter
        if OLDEST <= version <= NEWEST and can_make_environments:
            return path
    fitting = [path for path, version, _ in found if OLDEST <= version <= NEWEST]
    if fitting:
        raise SystemExit(
            "%s can't make virtual environments. On Debian: apt-get install python3-venv" % fitting[0]
        )
    seen = ", ".join(sorted({"%d.%d (%s)" % (version + (path,)) for path, version, _ in found}))
    raise SystemExit(
        "The portal needs Python %d.%d to %d.%d; found only: %s. On Debian 13: apt-get install python3 python3-venv"
        % (OLDEST + NEWEST + (seen or "none",))
    )


def candidates() -> Iterator[str]:
    """Yield paths that may be a supported Python: the one running, then those on PATH, then pyenv's."""
    seen = set()
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    folders = os.environ.get("PATH", "").split(os.pathsep) + ["/usr/local/bin", "/usr/bin"]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    paths = [getattr(sys, "_base_executable", None) or sys.executable]
    paths += [os.path.join(folder, name) for name in names for folder in folders if folder]
    paths += [os.path.join(folder, "python3") for folder in folders if folder]
    paths += sorted(glob.glob(os.path.join(pyenv, "versions", "3.*", "bin", "python3")), reverse=True)
    for path in paths:
        if path and path not in seen and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def probe(path: str) -> Optional[Interpreter]:
    """Return what a Python reports about itself; None if it doesn't run, like a version manager's empty shim."""
    question = (
        "import importlib.util, json, sys; print(json.dumps(["
        "getattr(sys, '_base_executable', sys.executable), sys.version_info[:2], "
        "all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip'))]))"
    )
    try:
        answer = subprocess.run(
            [path, "-I", "-c", question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=True,
        )
        executable, version, can_make_environments = json.loads(answer.stdout.decode())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return executable, (version[0], version[1]), can_make_environments


def is_inside(venv: str) -> bool:
    """Whether this process runs in that environment."""
    return os.path.realpath(sys.prefix) == os.path.realpath(venv)


def is_made_by_uv(venv: str) -> bool:
    """Whether uv made the environment; then `uv sync` installs its packages, and it is never rebuilt here."""
    try:
        with open(os.path.join(venv, "pyvenv.cfg"), encoding="utf-8") as file:
            return any(line.startswith("uv =") for line in file)
    except OSError:
        return False


def is_fresh(root: str, name: str) -> bool:
    """Whether `.venv` has the present version of a list, and its interpreter is unchanged."""
    venv = os.path.join(root, ".venv")
    return read_stamp(venv).get(name) == digest_of(root, name) and interpreter_is_unchanged(venv)


def interpreter_is_unchanged(venv: str) -> bool:
    """Whether the environment's Python is still there and the one it was made with."""
    python = python_of(venv)
    return os.access(python, os.X_OK) and os.path.realpath(python) == read_stamp(venv).get("python")


def read_stamp(venv: str) -> Dict[str, str]:
    """Return the stamp of an environment, empty if there is none."""
    try:
        with open(os.path.join(venv, STAMP), encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def make_stamp(root: str, name: str) -> Dict[str, str]:
    """Return the stamp of an environment with a list: the digest of each list it satisfies, and its interpreter."""
    satisfied = ["production", "development"] if name == "development" else ["production"]
    stamp = {item: digest_of(root, item) for item in satisfied}
    stamp["python"] = os.path.realpath(python_of(os.path.join(root, ".venv")))
    return stamp


def digest_of(root: str, name: str) -> str:
    """Return the SHA-256 of a package list."""
    with open(path_of_list(root, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def path_of_list(root: str, name: str) -> str:
    """Return the path of a hash-pinned package list."""
    return os.path.join(root, "portal", "requirements", name + ".txt")


def require_packages(root: str, name: str) -> None:
    """Exit with the names of the packages that a list needs and this environment lacks."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SystemExit(
            "The portal needs Python %d.%d to %d.%d; the environment in %s has %d.%d. Leave it (deactivate) to let "
            "the portal set up its own." % (OLDEST + NEWEST + (sys.prefix,) + sys.version_info[:2])
        )
    missing = [package for package in direct_requirements(root, name) if not installed(package)]
    if installed("django") and not installed("django").startswith(DJANGO + "."):
        missing.append("django %s (%s is installed)" % (DJANGO, installed("django")))
    if missing:
        fix = "%s -m pip install --require-hashes -r %s" % (sys.executable, path_of_list(root, name))
        if is_made_by_uv(sys.prefix):
            fix = "uv sync"
        raise SystemExit(
            "The environment in %s lacks: %s.\nInstall them there: %s\n"
            "or leave it (deactivate) to let the portal set up its own."
            % (sys.prefix, ", ".join(missing), fix)
        )


def direct_requirements(root: str, name: str) -> List[str]:
    """Return the names of the packages that pyproject.toml lists; only Django without that file."""
    import tomllib  # not there on the old Pythons that have to read this file

    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as file:
            project = tomllib.load(file)
    except FileNotFoundError:
        return ["django"]
    lines = list(project["project"]["dependencies"])
    if name == "development":
        lines += project["dependency-groups"]["dev"]
    names = [re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines]
    return [match.group() for match in names if match]


def installed(name: str) -> str:
    """Return the version of an installed package, empty if it isn't."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def python_of(venv: str) -> str:
    """Return the path of an environment's Python."""
    return os.path.join(venv, "bin", "python")
