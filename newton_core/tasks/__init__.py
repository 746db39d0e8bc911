"""Tasks: what is learned, from which data, by which network."""

from newton_core.tasks.base import TASKS, Batch, Metric, Task, TaskParameters, register_task

__all__ = ["TASKS", "Batch", "Metric", "Task", "TaskParameters", "register_task"]
