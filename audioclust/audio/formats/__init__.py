"""Formats that need more than libsndfile."""
