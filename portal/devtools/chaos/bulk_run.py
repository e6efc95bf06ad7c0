"""A bulk move at Lever's own rate, without faults, and one candidate of another organization in the midst of it."""

from portal.devtools.chaos.bulk_move import move_in_bulk
from portal.devtools.chaos.run import Run, Table, Violation


class BulkRun(Run):
    """Many candidates of one organization at once, and one of another organization while that runs."""

    def run(self) -> Table:
        """Move them and measure. Raises RunFailed."""
        move = move_in_bulk(self._environment, self._options.bulk, self._options.phase_seconds, self._log)
        figures = {
            "candidates": move.candidates,
            "e_mails": move.emails,
            "invited_twice": move.verification.number_of(Violation.INVITED_TWICE),
            "lost": move.verification.number_of(Violation.LOST),
            "tags_wrong": move.verification.number_of(Violation.TAGS_WRONG),
            "lever_calls": move.lever_calls,
            "lever_calls_per_candidate": move.calls_per_candidate,
            "answered_429": move.answered_429,
            "seconds_until_the_last_e_mail": move.last_email,
            "seconds_until_the_last_tag": move.last_tag,
            "time_over_levers_bound": move.time_over_bound,
            "other_organization_move_to_e_mail_seconds": (
                "never" if move.other_email is None else move.other_email
            ),
        }
        return Table(f"Bulk move of {move.candidates} candidates", figures, move.verification.broken)
