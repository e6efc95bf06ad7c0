"""What each verdict means, for the help: its meaning here, what to do about it from the rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.vocabulary import VerdictCode
from integrations.workflow.rules.next_steps import next_step

#: What happened, in one or two sentences that hold for every candidate with the verdict.
MEANINGS: Mapping[VerdictCode, str] = {
    VerdictCode.TEST_REQUEST: "Somebody pressed “Verify Connection” in Lever. The message arrived.",
    VerdictCode.PAUSED: (
        "An Admin has paused the portal, so nothing was sent. The stage change is kept and decided later."
    ),
    VerdictCode.DISCONNECTED: (
        "Lever or CodeScreen was not connected, so nothing was sent. The stage change is kept and decided later."
    ),
    VerdictCode.IGNORED_EVENT: "Lever sent a message that is not about a candidate entering a stage.",
    VerdictCode.ERASED: "The candidate's personal data was erased here, so nobody can be invited.",
    VerdictCode.NOT_A_TRIGGER_STAGE: (
        "The candidate entered a stage that sends no assessments: its name doesn't begin with the word for such "
        "stages, and no mapping names it."
    ),
    VerdictCode.NOT_VISIBLE: (
        "Lever doesn't show the candidate to the portal: they are confidential, or no longer in Lever. Or for four "
        "days the portal could not read what the decision needs."
    ),
    VerdictCode.LEFT_STAGE: "The candidate was in another stage again before the assessment could be sent.",
    VerdictCode.ARCHIVED: "The candidate is archived in Lever, so nothing was sent.",
    VerdictCode.ANONYMIZED: "Lever has anonymized the candidate. There is nobody to send an assessment to.",
    VerdictCode.ENTERED_BEFORE: (
        "The portal can't know whether the candidate is invited already: they were in the stage before Lever was "
        "connected or a backup was restored, or they have a progress tag in Lever that no invitation here explains."
    ),
    VerdictCode.CONTACT_NOT_ALLOWED: (
        "The data protection settings in Lever don't allow contacting this candidate."
    ),
    VerdictCode.NO_ASSESSMENT: (
        "Nothing says which assessment to send: the role has no mapping, there is no “CodeScreen …” tag, and your "
        "organization has no default."
    ),
    VerdictCode.UNKNOWN_ASSESSMENT: (
        "A tag or a mapping names an assessment that CodeScreen doesn't have. Often it is a typo, or the assessment "
        "was renamed in CodeScreen."
    ),
    VerdictCode.AMBIGUOUS_ASSESSMENT: (
        "More than one assessment is possible, for example because of two tags. The portal doesn't choose."
    ),
    VerdictCode.NO_EMAIL: "The candidate has no e-mail address in Lever, so the invitation can't reach anybody.",
    VerdictCode.ALREADY_INVITED: "The candidate has this assessment already.",
    VerdictCode.INVITED_ELSEWHERE: (
        "The same person has this assessment already, through another opportunity in Lever."
    ),
    VerdictCode.HELD_FOR_APPROVAL: (
        "More invitations came together than your rules allow without approval. This one is on hold, nothing was sent."
    ),
    VerdictCode.INVITE: "Everything was in order. CodeScreen sends the candidate the invitation.",
    VerdictCode.NOTED: "CodeScreen sent news of an invitation. The portal then asked CodeScreen for the details.",
}


@dataclass(frozen=True)
class VerdictHelp:
    """One verdict: its code, its label, what it means and what to do about it."""

    code: VerdictCode
    meaning: str
    next_step: str

    @property
    def label(self) -> str:
        """The verdict as pages show it."""
        return self.code.label


@dataclass(frozen=True)
class VerdictGroup:
    """Verdicts for which the same kind of thing is to be done."""

    anchor: str
    title: str
    verdicts: list[VerdictHelp]


_GROUPS: tuple[tuple[str, str, tuple[VerdictCode, ...]], ...] = (
    (
        "invited",
        "The assessment is sent, or an Admin decides",
        (VerdictCode.INVITE, VerdictCode.HELD_FOR_APPROVAL, VerdictCode.ENTERED_BEFORE),
    ),
    (
        "fix",
        "Nothing was sent, and you can fix it",
        (
            VerdictCode.NO_ASSESSMENT,
            VerdictCode.UNKNOWN_ASSESSMENT,
            VerdictCode.AMBIGUOUS_ASSESSMENT,
            VerdictCode.NO_EMAIL,
            VerdictCode.CONTACT_NOT_ALLOWED,
            VerdictCode.LEFT_STAGE,
            VerdictCode.ARCHIVED,
            VerdictCode.NOT_VISIBLE,
            VerdictCode.NOT_A_TRIGGER_STAGE,
        ),
    ),
    ("waits", "Decided later, automatically", (VerdictCode.PAUSED, VerdictCode.DISCONNECTED)),
    (
        "nothing",
        "Nothing to do",
        (
            VerdictCode.ALREADY_INVITED,
            VerdictCode.INVITED_ELSEWHERE,
            VerdictCode.ANONYMIZED,
            VerdictCode.ERASED,
            VerdictCode.TEST_REQUEST,
            VerdictCode.IGNORED_EVENT,
            VerdictCode.NOTED,
        ),
    ),
)


def verdict_groups() -> list[VerdictGroup]:
    """Return every verdict, grouped by what is to be done about it."""
    return [
        VerdictGroup(
            anchor, title, [VerdictHelp(code, MEANINGS[code], next_step(code.value)) for code in codes]
        )
        for anchor, title, codes in _GROUPS
    ]
