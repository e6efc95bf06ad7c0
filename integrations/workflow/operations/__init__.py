"""What people ask for: approve, resolve, retry, replay, connect, forget."""
