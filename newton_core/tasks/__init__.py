"""Tasks: what is learned, from which data, by which network."""

from newton_core.tasks.base import TASKS, Batch, Metric, Task, TaskParameters, register_task
from newton_core.tasks.classification import ClassificationParameters, ClassificationTask
from newton_core.tasks.discs import DiscsTask, DiscsTaskParameters
from newton_core.tasks.forecast import ForecastParameters, ForecastTask
from newton_core.tasks.heat import HeatTask, HeatTaskParameters
from newton_core.tasks.jigsaw import JigsawParameters, JigsawTask
from newton_core.tasks.ranking import RankingParameters, RankingTask
from newton_core.tasks.shortest_path import ShortestPathParameters, ShortestPathTask
from newton_core.tasks.spanning_tree import SpanningTreeParameters, SpanningTreeTask
from newton_core.tasks.surface import SurfaceParameters, SurfaceTask
from newton_core.tasks.top_k import TopKTask, TopKTaskParameters
from newton_core.tasks.trajectory import TrajectoryTask, TrajectoryTaskParameters

__all__ = [
    "TASKS",
    "Batch",
    "ClassificationParameters",
    "ClassificationTask",
    "DiscsTask",
    "DiscsTaskParameters",
    "ForecastParameters",
    "ForecastTask",
    "HeatTask",
    "HeatTaskParameters",
    "JigsawParameters",
    "JigsawTask",
    "Metric",
    "RankingParameters",
    "RankingTask",
    "ShortestPathParameters",
    "ShortestPathTask",
    "SpanningTreeParameters",
    "SpanningTreeTask",
    "SurfaceParameters",
    "SurfaceTask",
    "Task",
    "TaskParameters",
    "TopKTask",
    "TopKTaskParameters",
    "TrajectoryTask",
    "TrajectoryTaskParameters",
    "register_task",
]
