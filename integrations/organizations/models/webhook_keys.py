"""The signal that keys or secrets of webhooks changed, and how long a key that was replaced still works."""

from datetime import timedelta

from django.dispatch import Signal

#: Sent before the change is committed: for an update of rows Django sends no signal.
webhook_access_changed = Signal()

KEY_OVERLAP = timedelta(days=7)
