"""What Prometheus reads at `/metrics`, where that is allowed.

A metric is either of the database, the same whichever node is asked, or of the node that answers: its help says which.
"""
