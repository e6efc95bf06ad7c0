"""The release that contracts."""
