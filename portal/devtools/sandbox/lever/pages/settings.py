"""The settings a Super Admin sees, but for the webhooks: stages, users, authorized apps, delivery history."""

from portal.devtools.sandbox.account_pages import back
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.lever.pages.base import LeverPages
from portal.devtools.sandbox.lever.pages.rows import delivery_row
from portal.devtools.sandbox.lever.state.pipeline import Stage
from portal.devtools.sandbox.times import readable

DELIVERIES_SHOWN = 1000
BASE = "settings_base.html"


class SettingsPages(LeverPages):
    """The pages where a Super Admin sets the account up."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        settings = "/<account:account>/settings"
        return [
            Route("GET", settings, self.stages),
            Route("GET", f"{settings}/stages", self.stages),
            Route("POST", f"{settings}/stages", self.change_stages),
            Route("GET", f"{settings}/users", self.users),
            Route("GET", f"{settings}/apps", self.apps),
            Route("POST", f"{settings}/apps", self.revoke),
            Route("GET", f"{settings}/deliveries", self.deliveries),
            Route("POST", f"{settings}/deliveries", self.rerun),
        ]

    def stages(self, request: Request) -> Response:
        """Show the pipeline stages with their ids, and the archive reasons."""
        account = self.account(request)
        with account.lock:
            return self.show_table(
                request,
                account,
                "stages.html",
                "stages",
                base=BASE,
                title="Pipeline stages",
                headings=("Stage", "Candidates", "Stage ID", "Rename"),
                rows=[
                    {"stage": stage, "candidates": len(account.by_stage[stage.id])}
                    for stage in account.stages.values()
                ],
                reasons=list(account.archive_reasons.values()),
            )

    def change_stages(self, request: Request) -> Response:
        """Add a stage or rename one."""
        account = self.account(request)
        text, stage_id = request.field("text"), request.field("stage")
        here = f"/{account.slug}/settings/stages"
        if not text:
            return back(here, problem="A stage needs a name.")
        with account.lock:
            if stage_id:
                if stage_id not in account.stages:
                    raise HttpError(404, "There is no such stage.")
                account.stages[stage_id].text = text
                return back(here, done=f"Renamed the stage to {text}.")
            stage = Stage(new_id(), text)
            account.stages[stage.id] = stage
        return back(here, done=f"Added the stage {text}.")

    def users(self, request: Request) -> Response:
        """Show the users with their roles."""
        account = self.account(request)
        with account.lock:
            return self.show_table(
                request,
                account,
                "users.html",
                "users",
                base=BASE,
                title="Users",
                headings=("Name", "E-mail", "Access role", "Status", "User ID"),
                rows=list(account.users.values()),
            )

    def apps(self, request: Request) -> Response:
        """Show which apps may use this account."""
        account = self.account(request)
        grants = self._platform.grants
        with account.lock:
            rows = [
                {
                    "scopes": sorted(grant.scopes),
                    "since": readable(grant.created_at),
                    "used": readable(grant.used_at),
                    "user": account.user_name(grant.user),
                }
                for grant in grants.of_account(account.slug)
            ]
            return self.show(request, account, "apps.html", "apps", rows=rows, client=grants.client)

    def revoke(self, request: Request) -> Response:
        """Revoke the app's access."""
        account = self.account(request)
        self._platform.grants.revoke(account.slug)
        return back(f"/{account.slug}/settings/apps", done="Access revoked.")

    def deliveries(self, request: Request) -> Response:
        """Show the latest webhooks sent and how they were answered."""
        account = self.account(request)
        with account.lock:
            latest = account.events.deliveries[: -DELIVERIES_SHOWN - 1 : -1]
            return self.show_table(
                request,
                account,
                "deliveries.html",
                "deliveries",
                base=BASE,
                title="Delivery history",
                headings=("Sent", "Event", "Candidate", "Attempts", "State", "Again"),
                rows=[delivery_row(account, delivery) for delivery in latest],
                if_empty="Nothing was sent yet.",
                total=len(account.events.deliveries),
            )

    def rerun(self, request: Request) -> Response:
        """Send an earlier delivery again."""
        account = self.account(request)
        delivery = account.events.find(request.field("delivery"))
        if delivery is None:
            raise HttpError(404, "There is no such delivery.")
        account.events.rerun(delivery)
        return back(f"/{account.slug}/settings/deliveries", done="Sent again.")
