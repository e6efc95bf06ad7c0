"""The names under which django-q2 finds what a worker runs; tests check that each leads to its function."""

DRAIN = "integrations.queue.worker.drain"
PERFORM_DUTY = "integrations.queue.schedules.perform_duty"
REFRESH_CATALOG = "integrations.queue.duties.refresh_catalog"
