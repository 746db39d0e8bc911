"""The loss landscapes of a run: while it trains, and from its snapshots at any of its steps."""
