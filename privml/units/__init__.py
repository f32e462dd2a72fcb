"""The two units: their link, their correlated randomness, and programs that run on both."""
