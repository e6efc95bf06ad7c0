"""Alerts: what the members are notified of is also posted to the organization's chat rooms and programs."""
