"""The parts of logistic regression: schedule, columns, reach, descent, and the model as a recipient reads it."""
