"""Immutable values: what flows between the rooms."""
