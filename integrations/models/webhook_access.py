"""The signal that keys, tokens or secrets of webhooks changed by an update of rows, for which Django sends none."""

from django.dispatch import Signal

#: Sent before the change is committed.
webhook_access_changed = Signal()
