"""Whole experiments, from points to a report."""
