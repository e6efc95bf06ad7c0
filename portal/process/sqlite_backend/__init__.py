"""Django's SQLite with writers that wait fairly for each other: name it as the database's ENGINE."""
