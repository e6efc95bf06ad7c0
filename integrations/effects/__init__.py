"""Performing effects: one module per kind."""
