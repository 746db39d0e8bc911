"""The commands that gather evidence: ``tune`` and ``sweep``."""
