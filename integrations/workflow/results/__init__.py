"""From CodeScreen to progress and results: polling, recording, manual review."""
