"""E-mails to an organization's own people: wording, digests, preferences, sending."""
