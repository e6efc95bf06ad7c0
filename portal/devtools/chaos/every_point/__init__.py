"""The proof at every point: the main job, once for each place at which something can go wrong."""
