"""The dotted names by which django-q2 finds the functions that a worker runs."""

DRAIN = "integrations.queue.worker.drain"
PERFORM_DUTY = "integrations.queue.schedules.perform_duty"
REFRESH_CATALOG = "integrations.queue.duties.refresh_catalog"
