"""Counts of names by recording, site, day and hour: clocks, effort, tables and pictures."""
