"""What happens in the pretend Lever, from its API, its pages and its control API alike."""
