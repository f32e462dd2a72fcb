"""What a unit keeps across restarts."""
