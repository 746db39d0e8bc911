"""The training loop: what to run (spec), what a run says (events), the loop itself (run)."""
