"""The dotted names by which django-q2 finds the functions that a worker runs."""

DRAIN = "integrations.queue.drain.drain"
PLAN_DUTIES = "integrations.queue.duty_plan.plan_duties"
CLEAN_UP = "integrations.queue.schedules.clean_up"
