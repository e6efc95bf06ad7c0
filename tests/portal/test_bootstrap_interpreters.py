"""Which Python the set-up makes its environment with."""

import json
from pathlib import Path

import pytest

from portal import bootstrap


def make_python(path: Path, answer: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n" if answer else "#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    return str(path)


def test_shims_old_pythons_and_pythons_without_venv_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pythons = [
        make_python(tmp_path / "shim", None),
        make_python(tmp_path / "old", ["/old/python3", [3, 11], True]),
        make_python(tmp_path / "bare", ["/bare/python3", [3, 13], False]),
        make_python(tmp_path / "new", ["/new/python3", [3, 15], True]),
    ]
    good = make_python(tmp_path / "good", ["/good/python3", [3, 12], True])
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter([*pythons, good]))
    assert bootstrap.find_interpreter() == "/good/python3"
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter(pythons))
    with pytest.raises(SystemExit, match=r"/bare/python3 can't make .* apt-get install python3-venv"):
        bootstrap.find_interpreter()
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter(pythons[:2]))
    with pytest.raises(SystemExit, match=r"needs Python 3.12 to 3.14; found only: 3.11 \(/old/python3\)"):
        bootstrap.find_interpreter()


def test_pythons_are_looked_for_on_the_path_and_then_among_pyenvs_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make_python(tmp_path / "bin" / "python3.13", None)
    of_pyenv = make_python(tmp_path / "pyenv" / "versions" / "3.12.9" / "bin" / "python3", None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = list(bootstrap.candidates())
    assert found.index(on_path) < found.index(of_pyenv)
