"""Signing in by an organization's OpenID Connect provider."""
