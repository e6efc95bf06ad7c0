"""From a delivery to its verdict: facts, handling, sweep."""
