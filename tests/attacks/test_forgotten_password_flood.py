"""A flood of requests for links to choose a password: it holds no thread, and fills neither tables nor mailboxes."""

from django.test import Client

from integrations.accounts.models.sessions import PasswordLinkRequest
from portal.accounts.throttle import LINKS_FROM_NETWORK, LINKS_TO_ADDRESS

FORGOTTEN, SENT = "/password/forgotten/", "/password/sent/"
[FROM_NETWORK] = LINKS_FROM_NETWORK
[TO_ADDRESS] = LINKS_TO_ADDRESS


def ask(address: str, network: str = "192.0.2.1"):
    return Client(REMOTE_ADDR=network).post(FORGOTTEN, {"email": address})


def test_one_network_is_told_to_wait(db):
    answers = [ask(f"person-{number}@acme.example") for number in range(FROM_NETWORK.burst + 3)]
    assert [answer.status_code for answer in answers[-3:]] == [429] * 3
    assert answers[-1]["Retry-After"].isdigit()
    assert "Wait a minute" in answers[-1].content.decode()
    assert PasswordLinkRequest.objects.count() == FROM_NETWORK.burst
    assert ask("person@acme.example", "192.0.2.2")["Location"] == SENT


def test_many_networks_store_little_for_one_address_and_learn_nothing_from_the_answer(super_admin):
    for address in (super_admin.email, "nobody@acme.example"):
        answers = {ask(address.upper(), f"192.0.2.{number}")["Location"] for number in range(20)}
        assert answers == {SENT}
    assert PasswordLinkRequest.objects.count() == 2 * TO_ADDRESS.burst
