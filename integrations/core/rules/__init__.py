"""The rules that turn facts into a verdict.

Pure: no Django, no I/O, so that a dry run, a replay and the real run can't differ.
"""
