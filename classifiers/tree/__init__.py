"""The parts of a Hoeffding tree on shares: its tests, its criteria, its shape, how it grows and what it answers."""
