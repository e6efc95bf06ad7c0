"""What is to be done outside: effects, enqueued in the transaction that makes them true."""
