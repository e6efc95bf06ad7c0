"""A peer: dj-stripe's webhook endpoint in a Django project of its own. Runs in an environment that has dj-stripe."""
