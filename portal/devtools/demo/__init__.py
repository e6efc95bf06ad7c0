"""The demo: three organizations, their accounts in the sandbox, two weeks of history, and a check of the main job."""
