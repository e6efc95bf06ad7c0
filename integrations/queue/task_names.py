"""The dotted names by which django-q2 finds the functions that a worker runs. There are no others."""

DRAIN = "integrations.queue.drain.drain"
PERFORM_PORTAL_DUTIES = "integrations.queue.portal_duties.perform_portal_duties"
