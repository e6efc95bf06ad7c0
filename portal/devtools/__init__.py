"""Developer tools: sandbox, demo, chaos, benchmarks, tests and checks. Not deployed."""
