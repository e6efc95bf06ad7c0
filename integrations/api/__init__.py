"""What programs of an organization read at `/api/v1/`, and their tokens."""
