"""A run on several machines, each a network namespace: nodes of both kinds, two database servers, Redis."""
