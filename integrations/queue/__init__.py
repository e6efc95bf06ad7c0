"""What runs the work: wake-ups, brokers, the worker, schedules, liveness."""
