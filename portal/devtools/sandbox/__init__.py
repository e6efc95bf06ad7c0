"""A pretend Lever and a pretend CodeScreen for the demo, the tests and the fault runs; never part of production.

It imports nothing of the portal and speaks only HTTP to it: `python -m portal.devtools.sandbox --help`.
"""
