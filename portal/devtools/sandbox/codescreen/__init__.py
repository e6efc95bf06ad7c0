"""The pretend CodeScreen: its API, its e-mails, its webhooks and its pages."""
