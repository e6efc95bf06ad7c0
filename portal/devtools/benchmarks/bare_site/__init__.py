"""The yardstick: a Django project with one view that inserts one row, and nothing else."""
