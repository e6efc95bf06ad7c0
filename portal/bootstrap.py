"""Makes and enters the checkout's own `.venv`, with nothing but Python's standard library.

`manage.py` calls `enter()` before it imports Django. Whichever Python 3 started it may be too old to run
the portal, so this file keeps to what Python 3.8 can read.
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
from importlib import metadata
from typing import Dict, Iterator, List, Optional, Tuple

OLDEST = (3, 12)
NEWEST = (3, 14)
DJANGO = "6.1"

STAMP = "portal-stamp.json"
LOOP_GUARD = "PORTAL_ENTERED_BY"
PIP_OPTIONS = ["--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"]

Interpreter = Tuple[str, Tuple[int, int], bool]  # path, version, able to make environments


def enter(root: str) -> None:
    """Return in an environment that has the portal's packages; set it up and re-execute if need be.

    Steps aside inside any other virtual environment, and where somebody installed the right Django by
    hand, as a container does: then it only exits with the names of what is missing.
    """
    venv = os.path.join(root, ".venv")
    if not is_inside(venv):
        if sys.prefix != sys.base_prefix or installed("django").startswith(DJANGO + "."):
            require_packages(root)
            return
    elif is_fresh(root):
        return
    if os.environ.get(LOOP_GUARD) == str(os.getpid()):
        raise SystemExit("%s does not lead into %s. Remove %s and try again." % (python_of(venv), venv, venv))
    if not is_fresh(root):
        set_up(root)
    # The process keeps its id across exec, so the guard means "this very process has been here before".
    environ = dict(os.environ, **{LOOP_GUARD: str(os.getpid())})
    environ.pop("PYTHONHOME", None)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(python_of(venv), [python_of(venv)] + sys.argv, environ)


def set_up(root: str) -> None:
    """Build `.venv`, one process at a time; the stamp is written last, so a cut-off build is built anew."""
    with locked(root) as lock:
        if is_fresh(root):
            return
        venv = os.path.join(root, ".venv")
        stamp = os.path.join(venv, STAMP)
        packages = package_list(root)
        print("Setting up (first run only, about half a minute)…", file=sys.stderr, flush=True)
        if os.path.exists(stamp) and interpreter_is_unchanged(venv):
            # Only the list has changed: installing over it spares whoever is running in there.
            os.remove(stamp)
        else:
            shutil.rmtree(venv, ignore_errors=True)
            run([find_interpreter(), "-m", "venv", venv], lock)
        run([python_of(venv), "-m", "pip", "install", *PIP_OPTIONS, "--requirement", packages], lock)
        with open(stamp + ".new", "w", encoding="utf-8") as file:
            json.dump(expected_stamp(root), file)
        os.replace(stamp + ".new", stamp)


def run(argv: List[str], lock: int) -> None:
    """Run one step of the set-up, quietly; exit with its last words if it fails.

    The step inherits the lock: should we be killed, the next run waits for it before building anew.
    """
    environ = dict(os.environ, PIP_USER="0")
    environ.pop("PYTHONHOME", None)
    step = subprocess.run(
        argv,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[lock],
        check=False,
        universal_newlines=True,
        errors="replace",
    )
    if step.returncode:
        last_words = "\n".join(step.stdout.splitlines()[-20:])
        raise SystemExit(
            "%s\n\nSetting up failed at: %s\nThe next run starts the set-up afresh. It needs the Python package "
            "registry, as pip is configured here." % (last_words, " ".join(argv))
        )


@contextlib.contextmanager
def locked(root: str) -> Iterator[int]:
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
            % (root, package_list(root), os.path.join(root, "manage.py"))
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run to finish setting up…", file=sys.stderr, flush=True)
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
    """Yield where a fitting Python may be: the one running, then by name, then pyenv's."""
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
    """Ask a Python what it is; None if it doesn't answer, as a version manager's empty shim doesn't."""
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
    """Whether this very process runs in that environment."""
    return os.path.realpath(sys.prefix) == os.path.realpath(venv)


def is_fresh(root: str) -> bool:
    """Whether `.venv` is complete, made from the present list, by an interpreter that is still there."""
    venv = os.path.join(root, ".venv")
    return read_stamp(venv) == expected_stamp(root) and interpreter_is_unchanged(venv)


def interpreter_is_unchanged(venv: str) -> bool:
    """Whether the environment's Python is the one it was made with, and not removed or upgraded since."""
    python = python_of(venv)
    return os.access(python, os.X_OK) and os.path.realpath(python) == read_stamp(venv).get("python")


def read_stamp(venv: str) -> Dict[str, str]:
    """Return what the stamp says, empty if there is none."""
    try:
        with open(os.path.join(venv, STAMP), encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def expected_stamp(root: str) -> Dict[str, str]:
    """Return what the stamp of an up-to-date `.venv` says."""
    with open(package_list(root), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return {"packages": digest, "python": os.path.realpath(python_of(os.path.join(root, ".venv")))}


def package_list(root: str) -> str:
    """Return the hash-pinned list to install: the developers' where it is shipped, else production's."""
    folder = os.path.join(root, "portal", "requirements")
    development = os.path.join(folder, "development.txt")
    return development if os.path.exists(development) else os.path.join(folder, "production.txt")


def require_packages(root: str) -> None:
    """Exit with the names of what the portal needs and this environment lacks."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SystemExit(
            "The portal needs Python %d.%d to %d.%d; the environment in %s has %d.%d. Leave it (deactivate) to let "
            "the portal set up its own." % (OLDEST + NEWEST + (sys.prefix,) + sys.version_info[:2])
        )
    missing = [name for name in direct_requirements(root) if not installed(name)]
    if installed("django") and not installed("django").startswith(DJANGO + "."):
        missing.append("django %s (%s is installed)" % (DJANGO, installed("django")))
    if missing:
        raise SystemExit(
            "The environment in %s lacks: %s.\nInstall them there: %s -m pip install --require-hashes -r %s\n"
            "or leave it (deactivate) to let the portal set up its own."
            % (sys.prefix, ", ".join(missing), sys.executable, package_list(root))
        )


def direct_requirements(root: str) -> List[str]:
    """Return the names of the packages that the portal itself imports."""
    path = os.path.join(root, "portal", "requirements", "production.in")
    if not os.path.exists(path):
        return ["django"]
    with open(path, encoding="utf-8") as file:
        names = [re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in file]
    return [name.group() for name in names if name]


def installed(name: str) -> str:
    """Return the version of an installed package, empty if it isn't."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def python_of(venv: str) -> str:
    """Return the path of an environment's Python."""
    return os.path.join(venv, "bin", "python")
