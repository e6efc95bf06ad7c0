"""The environment of the tools: made for one run, so that their packages are none of the portal's."""

import subprocess
import venv
from pathlib import Path

from django.conf import settings

TOOLS = settings.BASE_DIR / "portal" / "requirements" / "supply_chain.txt"


class Tools:
    """An environment with the pinned tools. Raises subprocess.CalledProcessError when they can't be installed."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self._python = str(folder / "bin" / "python")
        self.run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(TOOLS)).check_returncode()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments in the repository; return how it ended and what it printed."""
        return subprocess.run(
            [self._python, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
