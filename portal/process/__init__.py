"""The portal's processes: supervisor and start-up."""
