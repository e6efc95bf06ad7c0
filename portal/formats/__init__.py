"""How times are written where a template doesn't say it, as in the admin."""
