"""Two kinds of seeds: those that choose settings, and those that claims are measured on.

A number that chose a setting says nothing about it: it is the best of many, and lucky.
"""

from collections.abc import Iterable

from newton_core.experiment.spec import ExperimentSpec

FIRST_TUNING_SEED = 10_000
"""Seeds from here on choose settings; those below are for reports."""


class SeedError(ValueError):
    """Seeds of the wrong kind; the message is one sentence."""


def check_tuning_seeds(seeds: Iterable[int]) -> None:
    """Makes sure that all seeds may choose settings.

    Raises:
        SeedError: one is a report seed.
    """
    wrong = [seed for seed in seeds if seed < FIRST_TUNING_SEED]
    if wrong:
        raise SeedError(
            f"seed {wrong[0]} is for reports: what chooses settings takes seeds from"
            f" {FIRST_TUNING_SEED:,} on, so that the reported numbers have chosen nothing"
        )


def check_report_seeds(seeds: Iterable[int]) -> None:
    """Makes sure that claims may be measured on all seeds.

    Raises:
        SeedError: one is a tuning seed.
    """
    wrong = [seed for seed in seeds if seed >= FIRST_TUNING_SEED]
    if wrong:
        raise SeedError(
            f"seed {wrong[0]} may have chosen settings: what claims takes seeds below"
            f" {FIRST_TUNING_SEED:,}"
        )


def with_seeds(spec: ExperimentSpec, seeds: Iterable[int]) -> list[ExperimentSpec]:
    """The spec once for each seed."""
    return [spec.model_copy(update={"seed": seed}) for seed in seeds]
