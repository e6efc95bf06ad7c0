"""One module per kind of effect, or per pair that belongs together: its payload, its step, and its record."""
