"""Which assessment each role needs."""
