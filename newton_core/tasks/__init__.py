"""Tasks: what is learned, from which data, by which network."""

from newton_core.tasks.base import TASKS, Batch, Metric, Task, TaskParameters, register_task
from newton_core.tasks.classification import ClassificationParameters, ClassificationTask
from newton_core.tasks.ranking import RankingParameters, RankingTask

__all__ = [
    "TASKS",
    "Batch",
    "ClassificationParameters",
    "ClassificationTask",
    "Metric",
    "RankingParameters",
    "RankingTask",
    "Task",
    "TaskParameters",
    "register_task",
]
