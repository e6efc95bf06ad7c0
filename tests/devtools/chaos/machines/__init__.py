"""The run on several machines."""
