"""Connections, policies, members, e-mails."""
