"""The demo: a seeded organization, its accounts in the sandbox, and one candidate's way through both."""
