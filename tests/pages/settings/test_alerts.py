"""The pages where a Super Admin sets up alerts: chat rooms, and programs by signed webhooks."""

import pytest
from django.urls import reverse

from integrations.core.vocabulary import ActionNotAllowed
from integrations.notifications.acts import AddressSettings, change_address
from integrations.notifications.models.email_kind import AlertTopic
from integrations.notifications.models.preferences import AlertAddress
from tests.support import factories
from tests.support.alert_receiver import receiving
from tests.support.factories import recorded

ROOMS, PROGRAMS = "/settings/notifications/", "/settings/alerts/"
FORM = {"name": "#hiring", "url": "https://1.1.1.1/T-SECRET", "wants_results": "on"}


@pytest.fixture
def receiver(settings):
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with receiving() as server:
        yield server


def told(client, answer) -> str:
    """Follow the redirect and return the page."""
    assert answer.status_code == 302
    return client.get(answer["Location"]).content.decode()


def test_an_empty_page_says_what_to_do(super_admin_client, organization):
    page = super_admin_client.get(ROOMS).content.decode()
    assert "No room yet" in page
    assert 'href="/help/alerts/#slack"' in page
    assert "No address yet" in super_admin_client.get(PROGRAMS).content.decode()


def test_each_page_lists_its_own_kind(super_admin_client, organization):
    factories.alert_address(organization, name="#room")
    factories.alert_address(organization, name="warehouse", kind="signed", secret="whsec_" + "a" * 44)
    rooms, programs = (super_admin_client.get(page).content.decode() for page in (ROOMS, PROGRAMS))
    assert "#room" in rooms
    assert "#room" not in programs
    assert "warehouse" in programs
    assert "warehouse" not in rooms


def test_an_admin_sees_the_e_mails_and_neither_sees_nor_adds_a_room(organization_admin_client, organization):
    factories.alert_address(organization, name="#room")
    page = organization_admin_client.get(ROOMS).content.decode()
    assert "Default" in page
    assert "#room" not in page
    assert organization_admin_client.post(ROOMS, FORM).status_code == 403
    assert AlertAddress.objects.count() == 1


def test_an_address_is_added_and_its_url_is_not_shown(super_admin_client, organization):
    page = told(super_admin_client, super_admin_client.post(ROOMS, FORM))
    assert "“#hiring” is added" in page
    assert "1.1.1.1" in page
    assert "T-SECRET" not in page
    address = AlertAddress.objects.get()
    assert (address.wants_results, address.wants_held) == (True, False)


def test_a_signing_secret_is_shown_once(super_admin_client, organization):
    answer = super_admin_client.post(PROGRAMS, FORM)
    secret = AlertAddress.objects.get().secret
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert secret not in super_admin_client.get(PROGRAMS).content.decode()


def test_a_private_address_is_refused_at_the_field_without_repeating_it(super_admin_client, organization):
    page = super_admin_client.post(ROOMS, {**FORM, "url": "https://127.0.0.1/T-SECRET"}).content.decode()
    assert "leads into a private network" in page
    assert "T-SECRET" not in page
    assert not AlertAddress.objects.exists()


def test_a_full_list_has_no_form(super_admin_client, organization):
    for number in range(5):
        factories.alert_address(organization, name=str(number))
    page = super_admin_client.get(ROOMS).content.decode()
    assert "Remove one to add another" in page
    assert 'name="url"' not in page


def test_a_test_says_how_it_went(super_admin_client, organization, receiver):
    address = factories.alert_address(organization, url=receiver.url, host="127.0.0.1")
    test = reverse("alert-test", kwargs={"pk": address.pk})
    assert "accepted the test" in told(super_admin_client, super_admin_client.post(test))
    receiver.answers = [(410, {})]
    page = told(super_admin_client, super_admin_client.post(test))
    assert "127.0.0.1 answered 410" in page
    assert "T-SECRET" not in page


def test_a_stopped_address_says_what_starts_it(super_admin_client, organization):
    at = factories.a_moment_ago()
    factories.alert_address(
        organization, stopped_at=at, last_failure_at=at, last_failure="hooks.example answered 410"
    )
    page = super_admin_client.get(ROOMS).content.decode()
    assert "Stopped" in page
    assert "hooks.example answered 410" in page
    assert "until a test is accepted" in page


def test_an_address_is_removed(super_admin_client, organization):
    address = factories.alert_address(organization)
    page = told(
        super_admin_client, super_admin_client.post(reverse("alert-remove", kwargs={"pk": address.pk}))
    )
    assert "is removed" in page
    assert not AlertAddress.objects.exists()


@pytest.mark.parametrize("name", ["alert-edit", "alert-test", "alert-remove"])
def test_another_organizations_address_is_not_found(super_admin_client, organization, name):
    theirs = factories.alert_address(factories.OrganizationFactory.create())
    assert super_admin_client.post(reverse(name, kwargs={"pk": theirs.pk})).status_code == 404
    assert AlertAddress.objects.filter(pk=theirs.pk).exists()


def change(client, address, **entered):
    """Save the form of an address as it is shown, with what is entered."""
    page = reverse("alert-edit", kwargs={"pk": address.pk})
    form = client.get(page).context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value()}
    data = {name: value for name, value in (shown | entered).items() if value not in (None, False)}
    return client.post(page, {name: "on" if value is True else value for name, value in data.items()})


def test_an_address_is_changed_with_one_entry_and_keeps_its_url(super_admin_client, organization):
    address = factories.alert_address(organization)
    page = super_admin_client.get(reverse("alert-edit", kwargs={"pk": address.pk})).content.decode()
    assert "secret" not in page.replace("signing secret", "").replace("new_secret", "")
    answer = change(super_admin_client, address, name="#results", wants_held=None)
    assert "“#results” is saved." in told(super_admin_client, answer)
    changed = AlertAddress.objects.get()
    assert (changed.name, changed.wants_held, changed.wants_results) == ("#results", False, True)
    assert changed.url == address.url
    [entry] = recorded().filter(action="change_alert_address")
    assert entry.changes["name"] == ["#hiring", "#results"]
    assert set(entry.changes) == {"name", "topics"}


def test_another_url_is_not_shown_and_has_to_be_tried(super_admin_client, organization):
    at = factories.a_moment_ago()
    address = factories.alert_address(
        organization, last_success_at=at, last_failure_at=at, last_failure="answered 410", stopped_at=at
    )
    answer = change(super_admin_client, address, url="https://1.1.1.1/T-SECRET")
    page = told(super_admin_client, answer)
    assert "Now send a test to the new address" in page
    assert "T-SECRET" not in page
    assert "Stopped" in page
    changed = AlertAddress.objects.get()
    assert (changed.url, changed.host) == ("https://1.1.1.1/T-SECRET", "1.1.1.1")
    assert (changed.last_success_at, changed.last_failure) == (None, "")
    entry = recorded().get(action="change_alert_address")
    assert entry.changes == {"host": ["hooks.example", "1.1.1.1"], "url": ["set", "set"]}


def test_an_address_that_is_off_gets_nothing_until_it_is_on(super_admin_client, organization):
    address = factories.alert_address(organization)
    change(super_admin_client, address, is_on=None)
    assert '<span class="badge neutral">Off</span>' in super_admin_client.get(ROOMS).content.decode()
    assert not AlertAddress.objects.getting(AlertTopic.RESULT).exists()
    change(super_admin_client, address, is_on="on")
    assert AlertAddress.objects.getting(AlertTopic.RESULT).exists()
    switched = recorded().order_by("pk").values_list("changes__on", flat=True)
    assert list(switched) == [[True, False], [False, True]]


def test_a_new_signing_secret_is_shown_once(super_admin_client, organization):
    address = factories.alert_address(organization, kind="signed", secret="whsec_" + "a" * 44)
    answer = change(super_admin_client, address, new_secret="on")
    secret = AlertAddress.objects.get().secret
    assert secret != address.secret
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for page in (PROGRAMS, reverse("alert-edit", kwargs={"pk": address.pk})):
        assert secret not in super_admin_client.get(page).content.decode()
    entry = recorded().get(action="change_alert_address")
    assert entry.changes == {"secret": ["set", "set"]}


def test_a_slack_address_has_no_signing_secret(super_admin_client, organization):
    address = factories.alert_address(organization)
    assert "new_secret" not in super_admin_client.get(f"{PROGRAMS}{address.pk}/").content.decode()
    change(super_admin_client, address, new_secret="on")
    assert AlertAddress.objects.get().secret == ""


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({"name": "Other"}, "There is an address with this name"),
        ({"url": "https://127.0.0.1/T-SECRET"}, "leads into a private network"),
        ({"wants_results": None, "wants_held": None, "wants_incidents": None}, "Choose at least one kind"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_change_is_said_and_nothing_is_stored(
    super_admin_client, organization, entered, words
):
    factories.alert_address(organization, name="Other")
    address = factories.alert_address(organization)
    page = change(super_admin_client, address, **entered).content.decode()
    assert words in page
    assert "T-SECRET" not in page
    assert AlertAddress.objects.get(pk=address.pk).name == "#hiring"
    assert not recorded().exists()


def test_saving_what_is_there_changes_nothing(super_admin_client, organization):
    page = told(super_admin_client, change(super_admin_client, factories.alert_address(organization)))
    assert "Nothing was changed." in page
    assert not recorded().exists()


def test_an_address_that_somebody_removed_meanwhile_is_said(organization, super_admin):
    address = factories.alert_address(organization)
    AlertAddress.objects.all().delete()
    with pytest.raises(ActionNotAllowed, match="was removed before"):
        change_address(address, AddressSettings(name="x"), super_admin)
