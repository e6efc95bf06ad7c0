"""The control API: tests, the demo and fault runs set accounts up, act as people, and read the ledger."""
