"""The pretend platforms of a demo, in the demo's own process: its history is made with them before they serve."""

from types import TracebackType
from typing import Self

from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.codescreen import CodeScreenSandbox
from portal.devtools.sandbox.lever import LeverSandbox
from portal.devtools.sandbox.mail import MailSandbox


class Platforms:
    """Lever, CodeScreen and the mail server on the ports of an environment; they serve in threads while entered."""

    def __init__(self, environment: DemoEnvironment) -> None:
        self.lever = LeverSandbox(port=environment.lever_port, redirect_uris=environment.redirect_uris)
        self.codescreen = CodeScreenSandbox(port=environment.codescreen_port)
        self.mail = MailSandbox(port=environment.mail_port, smtp_port=environment.smtp_port)

    def __enter__(self) -> Self:
        for server in (self.lever, self.codescreen, self.mail):
            server.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for server in (self.lever, self.codescreen, self.mail):
            server.stop()
