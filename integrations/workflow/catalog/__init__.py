"""Copies of the platforms' lists."""
