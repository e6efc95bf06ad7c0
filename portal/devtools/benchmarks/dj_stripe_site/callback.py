"""What dj-stripe does with a verified event: the benchmark measures its acceptance alone."""


def do_nothing(*_: object, **__: object) -> None:
    """Leave the event unprocessed."""
