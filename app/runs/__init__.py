"""Runs on the server: their identity, their queue and executors, and their log."""
