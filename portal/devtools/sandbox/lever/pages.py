"""The pages of the pretend Lever: the candidates, the profile of an opportunity, webhooks, and who may call the API."""

from typing import ClassVar

from portal.devtools.sandbox.accounts import SHOWN, AccountPages
from portal.devtools.sandbox.lever.account import EVENT_LABELS, LeverAccount
from portal.devtools.sandbox.lever.grants import SCOPES
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.lever.records import Opportunity
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect

ACCOUNT_COOKIE = "lever_account"
#: What an API key can be given, by the boxes of its page.
KEY_SCOPES = sorted(scope for scope in SCOPES if scope.count(":") == 2)


class LeverPages(AccountPages[LeverAccount]):
    """The pages of recruiters and Super Admins; their buttons act through `LeverControl`."""

    folder: ClassVar = "lever"
    brand: ClassVar = "Lever sandbox"
    notice: ClassVar = "A pretend Lever for trying things out. Nobody in it is real."
    tabs: ClassVar = {
        "candidates": "Candidates",
        "settings/webhooks": "Webhooks",
        "settings/apps": "Apps and API credentials",
    }

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts)
        self._grants = platform.grants

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        profile = "/candidates/<opportunity>"
        return [
            Route("GET", "/", self.home),
            Route("GET", profile, self.of_opportunity),
            Route("GET", "/settings/integrations", self.of_signed_in),
            self.route("GET", "/candidates", self.candidates),
            self.route("GET", profile, self.profile),
            self.route("GET", f"{profile}/files/<file>", self.file),
            self.route("GET", "/settings/apps", self.access),
            self.route("GET", "/settings/webhooks", self.webhooks),
        ]

    def home(self, request: Request) -> Response:
        """Lead to the account the browser is signed in to, else to the first."""
        return redirect(f"/{self.signed_in(request).slug}/candidates")

    def of_opportunity(self, request: Request) -> Response:
        """Lead to an opportunity by its id alone, as Lever's own addresses name it."""
        wanted = request.path_params["opportunity"]
        for account in self._accounts.values():
            if wanted in account.opportunities:
                return redirect(f"/{account.slug}/candidates/{wanted}")
        raise HttpError(404, "There is no such candidate.")

    def of_signed_in(self, request: Request) -> Response:
        """Lead to the webhooks of the account that the browser is signed in to, by Lever's own address of them."""
        return redirect(f"/{self.signed_in(request).slug}/settings/webhooks")

    def signed_in(self, request: Request) -> LeverAccount:
        """Return the account that the browser is signed in to, else the first. Raises HttpError where there is none."""
        account = self._accounts.get(signed_in_slug(request)) or next(iter(self._accounts.values()), None)
        if not account:
            raise HttpError(404, "There is no account here yet.")
        return account

    def candidates(self, request: Request, account: LeverAccount) -> Response:
        """Show the candidates, of one stage if asked, the archived ones last; it signs in to the account."""
        stage, query = request.args.get("stage", ""), request.args.get("q", "").strip()
        everyone = account.in_stage(stage) if stage else account.opportunities.values()
        chosen = [item for item in everyone if _mentions(account, item, query.casefold())]
        chosen.sort(key=lambda one: (bool(one.archived), account.rank(one.stage), one.created_at, one.id))
        shown = self.show(
            request,
            account,
            "candidates.html",
            "candidates",
            items=chosen[:SHOWN],
            total=len(chosen),
            counts=[(item, len(account.in_stage(item.id))) for item in account.stages.values()],
            stage=stage,
            q=query,
        )
        return sign_in(shown, account)

    def profile(self, request: Request, account: LeverAccount) -> Response:
        """Show everything about one opportunity."""
        item = _opportunity(account, request)
        contact = account.contact_of(item)
        posting = account.postings.get(item.posting_id or "")
        facts = {
            "Posting": posting.text if posting else "",
            "E-mail": "\n".join(contact.emails),
            "Origin": item.origin,
            "Links": "\n".join(contact.links),
            "Archived": "yes" if item.archived else "",
            "Confidentiality": item.confidentiality,
            "Anonymized": "yes" if contact.is_anonymized else "",
            "Must not be contacted": "yes" if item.data_protection else "",
            "Opportunity": item.id,
        }
        others = [one for one in account.of_contact(contact) if one is not item]
        context = {"item": item, "contact": contact, "facts": facts, "others": others}
        return self.show(request, account, "profile.html", "candidates", **context)

    def file(self, request: Request, account: LeverAccount) -> Response:
        """Answer a file's content, for the browser to save."""
        file = _opportunity(account, request).files.get(request.path_params["file"])
        if file is None:
            raise HttpError(404, "There is no such file.")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(file.content, headers=headers, content_type=file.content_type)

    def access(self, request: Request, account: LeverAccount) -> Response:
        """Show the grants of the app, and the API keys without their values."""
        return self.show(
            request,
            account,
            "apps.html",
            "settings/apps",
            grants=self._grants.of_account(account.slug),
            client=self._grants.client,
            keys=self._grants.keys_of(account.slug),
            scopes=KEY_SCOPES,
        )

    def webhooks(self, request: Request, account: LeverAccount) -> Response:
        """Show every event with its toggle and its webhooks."""
        made = account.events.webhooks.values()
        rows = [
            (event, label, event in account.events.enabled, [one for one in made if one.event == event])
            for event, label in EVENT_LABELS.items()
        ]
        return self.show(request, account, "webhooks.html", "settings/webhooks", rows=rows)


def sign_in(response: Response, account: LeverAccount) -> Response:
    """Remember in the browser which account it is signed in to."""
    response.set_cookie(ACCOUNT_COOKIE, account.slug, httponly=True, samesite="Lax")
    return response


def signed_in_slug(request: Request) -> str:
    """Return the slug of the account a browser is signed in to, or an empty string."""
    return request.cookies.get(ACCOUNT_COOKIE, "")


def _opportunity(account: LeverAccount, request: Request) -> Opportunity:
    opportunity = account.opportunities.get(request.path_params["opportunity"])
    if opportunity is None:
        raise HttpError(404, "There is no such candidate.")
    return opportunity


def _mentions(account: LeverAccount, opportunity: Opportunity, words: str) -> bool:
    contact = account.contact_of(opportunity)
    return any(words in text.casefold() for text in (contact.name, *contact.emails, *opportunity.tags))
