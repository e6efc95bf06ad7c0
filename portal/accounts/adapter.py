"""What django-allauth asks of this site about people's accounts."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from portal.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up: an account is made for who accepts an invitation, or by the operator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address as the trusted proxies say it; this machine's for a local socket."""
        return str(client_address(request) or "127.0.0.1")


class MFAAdapter(DefaultMFAAdapter):
    """Second factors of people."""
