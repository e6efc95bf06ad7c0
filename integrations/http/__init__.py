"""How the portal speaks HTTP: session, errors, deadlines, redaction, rate limit."""
