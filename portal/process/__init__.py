"""Processes: the supervisor, start-up, the SQLite backend."""
