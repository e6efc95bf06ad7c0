"""The pretend CodeScreen: its API, its e-mails, its webhooks and its pages."""

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox

__all__ = ["CodeScreenSandbox"]
