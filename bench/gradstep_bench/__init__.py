"""The benchmarks of gradstep, ``gradstep bench``: results are checked, then timed against peers in one process.

``bench/README.md`` of the repository explains how to read them.
"""
