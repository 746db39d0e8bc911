"""What an experiment is: its spec, the events that it says, the errors of a wrong one."""
