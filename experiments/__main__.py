"""`python -m experiments`."""

# a unit that an experiment starts in a process of its own imports this file again, and must stay small
if __name__ == "__main__":
    from experiments.cli import main

    main(prog_name="python -m experiments")
