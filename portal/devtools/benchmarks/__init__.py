"""What the portal costs, each figure as a ratio to something measured in the same run."""
