"""Two weeks of history for the demo, made by the portal's own code against the pretend platforms, with a past clock."""
