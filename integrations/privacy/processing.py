"""What a person may ask besides their data (GDPR, Art. 15(1)): why, which kinds, who gets it, from where, rights."""

PURPOSES = (
    "to invite candidates to assessments in CodeScreen when a recruiter moves them in Lever, and to write back results",
    "to show the organization's recruiters what was done and why, and to prove it afterwards",
)
CATEGORIES = (
    "name and e-mail addresses, as Lever has them",
    "the application: role, stage, tags that begin with CodeScreen, who is on it in Lever",
    "the assessment: invitation, times, score, result, its reason, the address of the report",
    "what was decided and sent about it, and what the organization's people did",
)
#: Who gets something, and what. Copies there aren't erased by the portal.
RECIPIENTS = (
    "CodeScreen: name and e-mail address, to send the invitation",
    "Lever: tags, notes, feedback and the report, without name and address",
    "the organization's people who get the portal's e-mails, in their mailboxes: name and result",
    "the organization's people who look at the portal or take lists from it",
    "the operator of this portal, its database, backups and logs; the logs hold no names and addresses",
)
SOURCES = (
    "Lever, the organization's applicant tracking system, where the person or a recruiter entered the data",
    "CodeScreen: progress and results of the assessment that the person took",
)
RIGHTS = (
    "to have wrong data corrected: in Lever, from which the portal reads it again",
    "to have the data erased, or its processing restricted, and to object to it",
    "to get the data in a form that programs read: this file",
    "to complain to a data protection authority",
)
DECISIONS = (
    "Nothing is decided about a person by a program alone: the portal invites by rules that the organization's people "
    "set, and writes down what CodeScreen states."
)
