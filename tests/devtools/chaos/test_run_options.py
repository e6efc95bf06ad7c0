"""The options of a chaos run."""

from argparse import ArgumentParser

import pytest

from portal.devtools.chaos.run import Options


def read(*arguments: str) -> Options:
    parser = ArgumentParser()
    Options.add_to(parser)
    return Options.read(vars(parser.parse_args(arguments)))


def test_the_defaults_are_a_short_run_with_faults() -> None:
    options = read()
    assert (options.events, options.faults, options.kill_every) == (200, 0.2, 2.0)
    assert options.has_faults


@pytest.mark.parametrize(
    "arguments",
    [
        ("--faults", "1.5"),
        ("--events", "0"),
        ("--upgrade", "10"),
        ("--kill-every", "-1"),
        ("--restore", "5", "--upgrade", "5", "--database-url", "postgresql://127.0.0.1/x"),
        ("--unreported",),
        ("--restore", "-1"),
        ("--database-url", "sqlite:///x"),
        ("--redis-url", "redis://127.0.0.1:6379"),
    ],
)
def test_impossible_options_are_refused_with_the_fix(arguments) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(*arguments)
