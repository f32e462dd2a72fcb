"""`python -m experiments`."""

import sys

# a unit that an experiment starts in a process of its own imports this file again, and must stay small
if __name__ == "__main__":
    try:
        from experiments.cli import main
    except ModuleNotFoundError as error:
        sys.exit(f"{error}; the experiments need more than PrivML itself: pip install -e '.[experiments]'")
    main(prog_name="python -m experiments")
