"""What to draw: pure functions of (trajectory, time) that return plain values, and matplotlib figures of them."""
