"""Runs that inject faults and load, and verify the portal's promises by the sandbox's ledgers."""
