"""Reports: what became of the invitations of a period."""
