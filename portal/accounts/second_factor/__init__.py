"""The second factor of a sign-in: asking for it, and the pages on which people set theirs up."""
