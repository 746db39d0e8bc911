"""Slices of a loss: in output space, for three ranked items, and through a network's weights."""
