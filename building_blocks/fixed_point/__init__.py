"""Real numbers between the units: fixed point that knows its scale and its range, and the functions of analysis."""
