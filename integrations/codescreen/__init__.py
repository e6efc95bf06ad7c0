"""CodeScreen's dialect: client, payloads, signature."""
