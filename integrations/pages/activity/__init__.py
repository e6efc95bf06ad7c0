"""Activity and candidates."""
