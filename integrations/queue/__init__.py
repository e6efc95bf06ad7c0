"""What runs the work: wake-ups, brokers, the worker, duties, liveness."""
