"""CodeScreen's API: client, payloads, signature. Knows no tables."""
