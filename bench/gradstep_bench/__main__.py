"""`python -m gradstep_bench` is `gradstep bench`."""

import sys

from gradstep.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "bench")
    main()
