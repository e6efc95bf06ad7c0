"""The pages of the pretend Lever."""
