"""The pretend CodeScreen: its API, its e-mails, its webhooks and its pages."""

from integrations.sandbox.codescreen.server import CodeScreenSandbox

__all__ = ["CodeScreenSandbox"]
