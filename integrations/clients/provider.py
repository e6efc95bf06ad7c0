"""What a step is handed to call the platforms with."""

from collections.abc import Callable
from dataclasses import dataclass

from integrations.codescreen.client import CodeScreenClient
from integrations.lever.client import LeverClient


@dataclass(frozen=True)
class ClientProvider:
    """The two clients, made when first needed: a verdict that needs no call makes none."""

    lever: Callable[[], LeverClient]
    codescreen: Callable[[], CodeScreenClient]
