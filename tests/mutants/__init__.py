"""Mutation testing: small faults are put into the code one by one, and some test must fail for each.

`sources` makes the faults, `runner` is a pytest plugin that runs the tests against them, `areas` says which code is
tested by which tests. `./comity bench mutants` runs it all.
"""
