"""The pretend mail server: it takes every e-mail, delivers none, and shows them on its pages."""

from portal.devtools.sandbox.mail.server import MailSandbox

__all__ = ["MailSandbox"]
