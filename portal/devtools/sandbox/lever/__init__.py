"""The pretend Lever: its OAuth, its API, its webhooks and its pages."""

from portal.devtools.sandbox.lever.server import LeverSandbox

__all__ = ["LeverSandbox"]
