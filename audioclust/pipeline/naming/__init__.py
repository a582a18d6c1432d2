"""Naming by listening: which clips to hear next, and what their names say of all others."""
