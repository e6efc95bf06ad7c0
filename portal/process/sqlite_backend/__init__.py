"""Django's SQLite backend with writers that wait fairly for each other. Used as the ENGINE of the database."""
