"""People: sign-in, passwords, OAuth views, time zones."""
