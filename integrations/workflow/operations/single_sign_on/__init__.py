"""Single sign-on: the provider's settings, the domains that an organization proves, and who signs in by it."""
