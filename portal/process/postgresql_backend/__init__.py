"""Django's PostgreSQL backend that checks only connections at rest. Used as the ENGINE of the database."""
