"""Online learners composed of building blocks."""
