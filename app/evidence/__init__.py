"""The commands that gather evidence, ``tune`` to ``scale``, and what they show."""
