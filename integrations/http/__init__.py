"""HTTP to the platforms: session, errors, deadlines, redaction, rate limit."""
