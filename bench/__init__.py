"""The benchmarks of gradstep: check, then time, against torch and NumPy in one process. See bench/README.md."""
