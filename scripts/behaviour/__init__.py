"""Whether two trees of this project behave the same: the rooms behind ``compare_behaviour``."""
