"""One candidate: the facts, what Lever is to show of them, and making the effects fit."""
