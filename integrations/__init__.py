"""The integration: what is true, what happens next, and the doors and bells around it."""
