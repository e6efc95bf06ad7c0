"""The pretend Lever: its OAuth, its API, its webhooks and its pages."""
