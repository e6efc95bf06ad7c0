"""The integration between Lever and CodeScreen: what is true, what happens next, and the entry points to it."""
