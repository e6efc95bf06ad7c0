"""A signed-in person gives their password again; too many guesses are told from a wrong one."""

from tests.support.second_factors import change_session

PAGE = "/account/confirm/"


def test_a_wrong_password_is_told_from_one_that_was_not_looked_at(super_admin_client):
    change_session(super_admin_client, proven_at=0.0)
    pages = [
        super_admin_client.post(PAGE, {"password": f"guess {number}"}).content.decode()
        for number in range(11)
    ]
    assert all("your password" in page and "Too many" not in page for page in pages[:10])
    assert "Too many wrong passwords were tried. Wait a minute." in pages[10]
    assert super_admin_client.session["proven_at"] == 0.0
