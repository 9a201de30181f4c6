"""Compiled loops: arrays in, arrays and an integer status out."""
