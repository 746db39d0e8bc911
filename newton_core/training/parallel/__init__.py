"""Some of a run's arms computed in processes of their own, on cores that would be idle."""
