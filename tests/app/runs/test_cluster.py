"""The Ray executor on a cluster of several nodes, each of them real processes of this machine."""

import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from app.runs.executors import RayExecutor
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run
from tests.app.command import Lab
from tests.app.harness import long_spec, numbers_of, tiny_spec
from tests.app.runs.test_executors import (
    READY_SECONDS,
    Following,
    check_whole,
    settings_for,
    the_worker_of,
    workers_of,
)

STORE = {"object_store_memory": 80 * 2**20}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that computes nothing, and two nodes that say they have a GPU."""
    head = {"num_cpus": 0, "include_dashboard": False, **STORE}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        made.add_node(num_cpus=2, num_gpus=1, **STORE)
    yield made
    made.shutdown()


def lose_node_of_the_worker(cluster: Cluster, executor: RayExecutor) -> None:
    worker = the_worker_of(executor)
    for node in list(cluster.worker_nodes):
        raylets = [info.process.pid for info in node.all_processes["raylet"]]
        if worker.ppid() in raylets:
            cluster.remove_node(node, allow_graceful=False)
            return
    raise AssertionError("no node has the worker")


def test_run_of_a_lost_node_fails_and_the_next_goes_to_another(
    cluster: Cluster, tmp_path: Path
) -> None:
    executor = RayExecutor(settings_for(tmp_path, executor="ray", ray_address=cluster.address))
    executor.start()
    try:
        lost = Following(executor, tmp_path / "lost", long_spec(1))
        lost.until_metrics()
        lose_node_of_the_worker(cluster, executor)
        assert "the worker on the Ray cluster was lost" in str(lost.outcome())
        following = Following(executor, tmp_path / "next", tiny_spec())
        check_whole(following)
        with_gpu = Following(executor, tmp_path / "gpu", tiny_spec(device="cuda:9"))
        assert with_gpu.outcome() is None
        assert "cuda:9" in with_gpu.events[-1].body, "a worker there was asked, and it has none"
        until = time.monotonic() + READY_SECONDS
        while len(workers_of(executor)) > 1:  # the worker with the GPU was for this run alone
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        executor.close()
    here = [event.model_dump(mode="json") for event in run(ExperimentSpec(**tiny_spec()))]
    assert numbers_of(json.loads(event.body) for event in following.events) == numbers_of(here)


def test_a_cluster_that_cannot_be_used_is_told_in_one_line(
    newton_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_EXECUTOR", "ray")
    monkeypatch.setenv("NEWTON_LAB_RAY_ADDRESS", "ray://head:10001")
    assert "Ray Client" in newton_lab.refuses("serve", "--port", "0")
    monkeypatch.setenv("NEWTON_LAB_RAY_ADDRESS", "head")
    assert "host:port" in newton_lab.refuses("serve", "--port", "0")
    monkeypatch.setenv("NEWTON_LAB_RAY_ADDRESS", "127.0.0.1:9")
    assert "NEWTON_LAB_RAY_ADDRESS" in newton_lab.refuses("serve", "--port", "0")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'newton-lab[ray]'" in newton_lab.refuses("serve", "--port", "0")
