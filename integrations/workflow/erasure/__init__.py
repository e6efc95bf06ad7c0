"""Erasure of one person's data, following the data inventory."""
