"""Lever's API: OAuth, client, payloads, signature. Knows no tables."""
