"""Why an operation was not done."""


class ActionNotAllowed(Exception):
    """The row is not in a state that allows the action; the message is for people and says why.

    An exception rather than a result: it rolls the operation's transaction back, and pages, admin and commands show
    its message in one place whatever the action was.
    """
