"""Effects: intended calls to the platforms, enqueued in the transaction that makes them necessary."""
