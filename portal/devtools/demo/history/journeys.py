"""What happens in the two weeks before the demo begins: who enters the stage when, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.invitations.acts import invitations
from portal.devtools.demo.history import acts
from portal.devtools.demo.history.acts import LEAD, NOBODY, OWNER, Act, Person
from portal.devtools.sandbox.lever.seed import NO_CONTACT

TRIGGER, EARLIER, NEXT = "CodeScreen Assessment", "Phone screen", "On-site interview"
BACKEND, FRONTEND, SRE = "Backend Engineer", "Frontend Engineer", "Site Reliability Engineer"
#: A role that nothing is mapped to.
DESIGNER = "Product Designer"
#: Who has this tag is held.
HOLD_TAG = "Accommodation"
MINUTE = 1 / 60
MOVED_AT_ONCE = "Baobab Basswood Bay Boxwood Buckeye Camphor Carob Cashew Ceiba Cornel"

#: Steps, each so many hours after the journey's begin.
type Steps = tuple[tuple[float, Act], ...]


@dataclass(frozen=True)
class Journey:
    """What begins so many days ago: a person enters the stage, if there is one, and the steps follow."""

    days: float
    person: Person = NOBODY
    steps: Steps = ()

    def events(self, now: datetime) -> Iterator[tuple[datetime, Act]]:
        """Yield each act with its moment; what is planned for later than now, too."""
        for hours, act in (() if self.person is NOBODY else ENTRY) + self.steps:
            yield ago(now, self.days) + timedelta(hours=hours), act


def ago(now: datetime, days: float) -> datetime:
    """Return a moment before now; of a day before yesterday, one between 9 and 17 o'clock UTC."""
    if days < 1.5:
        return now - timedelta(days=days)
    day = (now - timedelta(days=int(days))).replace(hour=9, minute=0, second=0)
    return day + (1 - days % 1) * timedelta(hours=8)


ENTRY: Steps = ((-5.0, acts.apply), (0.0, acts.in_lever("move", stage=TRIGGER)))
START, SUBMIT = (17.0, acts.step("start")), (20.0, acts.step("submit"))
LEAVES, RETURNS = (2.4, acts.in_lever("move", stage=EARLIER)), (20.0, acts.in_lever("move", stage=TRIGGER))
INCIDENTS = (2 * MINUTE, acts.update_incidents)
#: The next invitation has no answer, which the portal can't know: it is sent, or it isn't.
LOST, REFUSED = (
    (-MINUTE, acts.fail({"kind": kind, "method": "POST", "times": 1}))
    for kind in ("reset_after", "reset_before")
)
APPROVE = acts.decide_held(invitations.approve, "Planned.")
CANCEL = acts.decide_held(invitations.cancel, "Has another offer.")
SETTLED: Steps = (LOST, INCIDENTS, (50 * MINUTE, acts.resolve), (52 * MINUTE, acts.update_incidents))
REGRADED = (36.0, acts.step("regrade", score=74, result="Passed"))
NOT_STARTED: Steps = ((7 * 24 + MINUTE, acts.step("expire")),)


def passed(score: int | None = None) -> Steps:
    """Return that the candidate passes, and a recruiter moves them on."""
    evaluate = acts.step("evaluate", score=score, result="Passed")
    return START, SUBMIT, (20.2, evaluate), (28.0, acts.in_lever("move", stage=NEXT))


def failed(score: int | None = None, reason: str | None = None) -> Steps:
    """Return that the candidate fails, and a recruiter archives them."""
    evaluate = acts.step("evaluate", score=score, result="Failed", reason=reason)
    return START, SUBMIT, (20.2, evaluate), (28.0, acts.in_lever("archive", reason="Underqualified"))


#: So many days ago CodeScreen had an outage of forty minutes, in which two candidates entered the stage.
OUTAGE_DAYS = 3.7
OUTAGE: Steps = (
    (-MINUTE, acts.fail({"kind": "status", "status": 503})),
    *((minutes * MINUTE, acts.update_incidents) for minutes in range(2, 70, 4)),
    (39 * MINUTE, acts.fail()),
)
#: CodeScreen states results for this organization, and reports each step.
OF_CONNECTED = (
    # rules
    Journey(13.2, steps=((0, acts.change_rules(OWNER, passed_tag="Assessment passed")),)),
    Journey(12.3, steps=((0, acts.change_rules(LEAD, hold_tag=HOLD_TAG)),)),
    Journey(9.3, steps=((0, acts.change_rules(LEAD, passing_score=70)),)),
    Journey(8.6, steps=((0, acts.change_rules(LEAD, bulk_limit=6)),)),
    Journey(5.9, steps=((0, acts.change_rules(LEAD, not_started_days=3)),)),
    # not invited, for each reason: some long ago, some that still wait for a person
    Journey(6.3, Person("Acacia", "Mobile Engineer")),
    Journey(5.1, Person("Almond", DESIGNER)),
    Journey(0.3, Person("Apple", DESIGNER)),
    Journey(9.1, Person("Apricot", "Data Engineer")),
    Journey(0.5, Person("Araucaria", more={"tags": ["CodeScreen Fronted Developer"]})),
    Journey(0.2, Person("Arbutus", FRONTEND, {"emails": []})),
    Journey(3.6, Person("Ash", BACKEND, {"data_protection": NO_CONTACT})),
    # two invitations whose answer was lost: one that an Admin settled, and one that still waits
    Journey(9.6, Person("Avocado", BACKEND), SETTLED + passed(93)),
    Journey(1.2, Person("Balsa", BACKEND), (LOST, INCIDENTS)),
    # who waits for an Admin's yes: one by a tag, and of a bulk move those beyond the limit
    Journey(0.8, Person("Banyan", BACKEND, {"tags": [HOLD_TAG]}), (INCIDENTS,)),
    *(Journey(0.4, Person(word, BACKEND)) for word in MOVED_AT_ONCE.split()),
    Journey(0.4, steps=(INCIDENTS, (40 * MINUTE, APPROVE), (42 * MINUTE, CANCEL))),
    # who enters the stage twice, is invited elsewhere or again, or isn't followed any more
    Journey(3.4, Person("Cassia", BACKEND), (LEAVES, RETURNS)),
    Journey(2.6, Person("Catalpa", BACKEND)),
    Journey(1.9, Person("Cherry", more={"tags": ["CodeScreen Backend"], "same_as": "Catalpa"})),
    Journey(9.2, Person("Chestnut", BACKEND), (*NOT_STARTED, (8 * 24.0, acts.invite_again))),
    Journey(5.2, Person("Citron", BACKEND)),
    Journey(1.3, steps=((0, acts.poll),)),
    # a result that CodeScreen corrects
    Journey(6.8, Person("Clementine", BACKEND), (*failed(48), REGRADED)),
    # who is halfway now: invited, at work, and waiting for their result
    Journey(0.21, Person("Cork", BACKEND)),
    Journey(0.29, Person("Cottonwood", FRONTEND)),
    Journey(1.08, Person("Cypress", SRE)),
    Journey(0.92, Person("Damson", BACKEND), (START,)),
    Journey(1.25, Person("Durian", SRE), ((26.0, acts.step("start")),)),
    Journey(1.3, Person("Ebony", FRONTEND), ((27.0, acts.step("start")), (30.0, acts.step("submit")))),
    # where everything goes as it should
    Journey(12.9, Person("Elder", BACKEND), passed(91)),
    Journey(12.4, Person("Eucalyptus", FRONTEND), failed(42)),
    Journey(11.7, Person("Fig", SRE), passed()),
    Journey(11.2, Person("Filbert", BACKEND), NOT_STARTED),
    Journey(10.5, Person("Frangipani", FRONTEND), passed(83)),
    Journey(10.4, Person("Guava", BACKEND), failed(31)),
    Journey(9.8, Person("Hackberry", BACKEND), passed(74)),
    Journey(8.6, Person("Hawthorn", FRONTEND), passed(95)),
    Journey(7.5, Person("Hemlock", SRE), failed()),
    Journey(6.7, Person("Hickory", BACKEND), passed(88)),
    Journey(5.5, Person("Holly", BACKEND), (START, (43.0, acts.step("expire")))),
    Journey(4.6, Person("Hornbeam", FRONTEND), failed(reason="Build Failure")),
    Journey(OUTAGE_DAYS, steps=OUTAGE),
    Journey(OUTAGE_DAYS, Person("Ironwood", BACKEND), passed(79)),
    Journey(OUTAGE_DAYS - 0.02, Person("Jacaranda", FRONTEND), failed(55)),
)


def scored(score: int) -> Steps:
    """Return that CodeScreen comes to a score, and that the portal asks soon after each step."""
    steps = START, SUBMIT, (20.2, acts.step("evaluate", score=score))
    return tuple(one for hours, act in steps for one in ((hours, act), (hours + 0.1, acts.poll)))


#: CodeScreen answers as it publishes: a score, no result and no webhooks. So the portal asks for everything, and what
#: counts as passed is the organization's own bar, once it has one.
OF_PUBLISHED = (
    Journey(6.5, steps=((0, acts.change_rules(OWNER, passing_score=70, hold_tag=HOLD_TAG)),)),
    Journey(12.6, Person("Rosewood", BACKEND), scored(77)),
    Journey(9.4, Person("Sassafras", FRONTEND), scored(48)),
    Journey(5.4, Person("Teak", BACKEND), scored(91)),
    Journey(4.2, Person("Tupelo", FRONTEND), scored(62)),
    Journey(2.3, Person("Walnut", BACKEND), scored(70)),
    Journey(1.3, Person("Whitebeam", BACKEND)),
    Journey(0.25, Person("Wisteria", FRONTEND)),
    Journey(1.1, Person("Yucca", BACKEND), ((23.0, acts.step("start")), (23.1, acts.poll))),
    # a mapping of their role frees them
    Journey(0.27, Person("Sommerlinde", DESIGNER, {"name": "Candidate Großblättrige Sommerlinde"})),
    Journey(0.15, Person("Yamazakura", DESIGNER, {"name": "Candidate ヤマザクラ"})),
    # their answer was lost: CodeScreen shows the first of them
    Journey(
        0.31,
        Person("Mammutbaum", BACKEND, {"name": "Candidate Riesenmammutbaumsamenzapfenschuppenharztropfen"}),
        (LOST, INCIDENTS),
    ),
    Journey(0.1, Person("Zitterpappel", FRONTEND), (REFUSED, INCIDENTS)),
    # waits for a yes
    Journey(
        0.19, Person("Hinoki", BACKEND, {"name": "Candidate ヒノキ（檜）", "tags": [HOLD_TAG]}), (INCIDENTS,)
    ),
)
