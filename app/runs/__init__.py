"""Runs on the server: who they are, who computes them, and the log that everyone reads."""
