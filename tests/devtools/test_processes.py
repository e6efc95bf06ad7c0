"""Which processes of a group do its work."""

from portal.devtools.processes import leaves


def test_the_processes_that_do_the_work_have_no_children() -> None:
    parents = {10: 1, 11: 10, 12: 11, 13: 12, 14: 12}
    assert leaves(parents, 10) == [13, 14]
