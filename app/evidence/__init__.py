"""The commands that gather evidence: ``tune``, ``sweep`` and ``reproduce``, and what they show."""
