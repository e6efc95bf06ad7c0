"""The page of one candidate."""
