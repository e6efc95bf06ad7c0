"""The release that expands."""
