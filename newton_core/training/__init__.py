"""Runs of a spec: the loop, its arms, their snapshots, and what is measured on the way."""
