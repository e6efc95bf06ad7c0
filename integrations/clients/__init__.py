"""From a connection to a ready client: credentials, rate limit, the record of calls."""
