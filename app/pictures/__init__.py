"""Pictures that are computed at once: surfaces, three numbers, gradients over one score."""
