"""What other rules would have decided about the last 90 days."""
