"""What people and CI run on a checkout, besides tests."""
