"""What a demo prints while it sets up: each step, with the seconds since the command began."""

import time
from collections.abc import Callable


class Progress:
    """Prints a line for each step as it begins, so that nobody waits without knowing for what."""

    def __init__(self, write: Callable[[str], None], began_at: float) -> None:
        self._write = write
        self._began_at = began_at

    def step(self, text: str) -> None:
        """Print a step that begins now."""
        self._write(f"  {time.time() - self._began_at:5.1f} s  {text}")
