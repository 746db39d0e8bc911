"""Lessons: Markdown with scenes, questions and claims, for the page and the command line."""
