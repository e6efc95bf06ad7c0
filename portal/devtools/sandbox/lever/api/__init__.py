"""Lever's Data API and its token endpoint, as far as the portal and the tests call them."""
