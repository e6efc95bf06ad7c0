"""What runs the work: django-q2's one task, the steps and duties that it performs, and how it is enqueued."""
