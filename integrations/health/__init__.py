"""Findings, incidents and probes."""
