"""The run of forged and replayed webhooks: none may be accepted or stored, and no answer's time may reveal anything."""
