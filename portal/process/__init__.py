"""The portal's processes: supervisor, start-up, and how each connects to the database."""
