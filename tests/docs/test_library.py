"""The recipe of ``docs/library.md`` for several ranks, with real processes."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "library.md"

RANK = """
import sys
import torch
from torch import distributed, nn
from torch.testing import assert_close
from newton_core import NewtonLoss, build_loss
from distributed_recipe import whole_batch_loss

store, rank = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
torch.manual_seed(0)
network, inputs, target = nn.Linear(4, 3), torch.randn(10, 4), torch.arange(10) % 3
base, settings = build_loss("cross_entropy"), {"curvature": "fisher", "tikhonov": 0.01}

alone = NewtonLoss(base, **settings)(network(inputs), target)
(expected,) = torch.autograd.grad(alone, network.weight)
mine = slice(5 * rank, 5 * rank + 5)
local = NewtonLoss(base, **settings)(network(inputs[mine]), target[mine])
(apart,) = torch.autograd.grad(local, network.weight)

whole_batch_loss(base, network(inputs[mine]), target[mine], **settings).backward()
found = network.weight.grad
for gradient in (found, apart):  # the mean over the ranks, as DistributedDataParallel takes it
    distributed.all_reduce(gradient)
assert_close(found / 2, expected)
assert (apart / 2 - expected).norm() > 0.01 * expected.norm(), "each rank had a C of its own"
print("same")
"""


def test_ranks_take_the_step_of_the_whole_batch(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    (tmp_path / "distributed_recipe.py").write_text(code, "utf-8")
    (tmp_path / "rank.py").write_text(RANK, "utf-8")
    store = (tmp_path / "store").as_uri()
    processes = [
        subprocess.Popen(
            [sys.executable, str(tmp_path / "rank.py"), store, str(rank)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for process in processes:
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert printed == "same\n"
