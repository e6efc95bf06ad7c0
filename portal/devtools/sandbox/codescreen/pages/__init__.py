"""The pages of the pretend CodeScreen."""
