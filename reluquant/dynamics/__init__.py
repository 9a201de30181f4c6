"""How networks move: everything that makes a Trajectory."""
