"""People: sign-in, passwords, second factors, OAuth views, time zones."""
