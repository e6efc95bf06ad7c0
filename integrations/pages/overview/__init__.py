"""The first page and the set-up checklist."""
