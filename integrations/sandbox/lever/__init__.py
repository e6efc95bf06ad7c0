"""The pretend Lever: its OAuth, its API, its webhooks and its pages."""

from integrations.sandbox.lever.server import LeverSandbox

__all__ = ["LeverSandbox"]
