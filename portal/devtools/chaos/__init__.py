"""Chaos: try to break the portal's promises with faults and kills, and count on the platforms' own books."""
