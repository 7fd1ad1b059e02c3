"""`python -m gradstep` is `gradstep`."""

from gradstep.cli import main

if __name__ == "__main__":
    main()
