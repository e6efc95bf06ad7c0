"""What a delivery means: pure functions, no Django, no I/O."""
