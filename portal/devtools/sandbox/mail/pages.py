"""The e-mails as a list, and each with its HTML and its plain text."""

from urllib.parse import urlencode

from portal.devtools.sandbox.account_pages import page_number, page_of
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, html_response, redirect
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.http.templates import render
from portal.devtools.sandbox.mail.mailbox import Mailbox, StoredEmail
from portal.devtools.sandbox.times import readable

HEADINGS = ("E-mail", "Sent")
#: What an e-mail's HTML may do on its page: look as it should, and open its links in a new tab.
FRAME = "allow-popups allow-popups-to-escape-sandbox"
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; sandbox {FRAME}"
NEW_TAB = '<base target="_blank">'


class MailPages:
    """The pages of the pretend mail server."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            Route("GET", "/", self.home),
            Route("GET", "/emails", self.emails),
            Route("GET", "/emails/<email>", self.email),
            Route("GET", "/emails/<email>/html", self.html),
        ]

    def home(self, _request: Request) -> Response:
        """Lead to the list."""
        return redirect("/emails")

    def emails(self, request: Request) -> Response:
        """Show the e-mails, the latest first; `q` finds words of the subject or the address."""
        query = request.args.get("q", "").strip()
        words = query.casefold()
        found = [
            email
            for email in self._mailbox.latest_first()
            if not words or words in f"{email.subject} {' '.join(email.recipients)}".casefold()
        ]
        shown, links = page_of(found, page_number(request))
        return render(
            "mail/emails.html",
            {
                "base": "mail/base.html",
                "title": "E-mails",
                "headings": HEADINGS,
                "rows": [_row(email) for email in shown],
                "if_empty": "No e-mail was sent yet.",
                "total": len(found),
                "q": query,
                "links": links,
                "list_query": f"{urlencode({'q': query})}&" if query else "",
            },
        )

    def email(self, request: Request) -> Response:
        """Show one e-mail."""
        email = self._find(request)
        return render("mail/email.html", {"email": email, "row": _row(email), "frame": FRAME})

    def html(self, request: Request) -> Response:
        """Answer an e-mail's HTML for the frame on its page."""
        html = self._find(request).html
        head = html.lower().find("<head>")
        at = head + len("<head>") if head >= 0 else 0
        response = html_response(f"{html[:at]}{NEW_TAB}{html[at:]}")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def _find(self, request: Request) -> StoredEmail:
        email = self._mailbox.find(request.path_params["email"])
        if email is None:
            raise HttpError(404, "There is no such e-mail.")
        return email


def _row(email: StoredEmail) -> dict[str, object]:
    return {
        "id": email.id,
        "subject": email.subject or "(no subject)",
        "recipients": ", ".join(email.recipients),
        "sender": email.sender,
        "at": readable(email.at),
    }
