"""Lever's dialect: OAuth, client, payloads, signature."""
