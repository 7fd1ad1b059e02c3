"""The benchmarks of gradstep, ``gradstep bench``: check, then time, against others in one process.

How to read them is in ``bench/README.md`` of the repository.
"""
