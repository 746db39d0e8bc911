"""A teacher's own lesson, whose run takes a second."""

TINY = """\
---
title: Tiny
minutes: 5
order: 1
summary: Two arms rank three numbers.
---

## Which arm is ahead

A formula: $\\nabla\\ell$. <script>alert(1)</script><img src="x" onerror="alert(2)">
Look at [the middle](lab:step=20). Fisher has [λ = 0.1](lab:arms.1.tikhonov=0.1) here;
[λ = 5](lab:arms.1.tikhonov=5) is another run.

```scene
spec:
  task: {name: ranking, n: 3, test_sets: 20}
  loss: {name: neuralsort}
  arms: [{label: Vanilla}, {label: Fisher, curvature: fisher}]
  steps: 40
  batch_size: 4
  evaluate_every: 10
  seed: 77
panels: [accuracy, examples, step]
range: [0, 40]
```

```question
kind: arm
ask: Which arm has the higher loss at step 20?
metric: loss
step: 20
```

```question
kind: curve
ask: How does the loss of Vanilla go?
metric: loss
arm: Vanilla
low: 0
high: 2
```

## A surface

Now [a stronger damping](lab:tikhonov=10).

```scene
page: surfaces
settings: {function: rosenbrock, tikhonov: 2}
controls: [tikhonov]
step: 20
```
"""
