"""What of a study is left to do, and can be done: a run waits for those that it stands on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from distaff.studies.execute import Known, has_udr, is_done
from distaff.studies.plan import Plan, PlannedRun, describe


def left(
    plan: Plan, runs: Iterable[PlannedRun], known: Mapping[str, Known], failed: Mapping[str, str]
) -> list[PlannedRun]:
    """Those of the runs that are to be done and can be: what they stand on has its weights here."""
    wanted = _weights_wanted(plan, known)
    return [
        run
        for run in runs
        if run.id not in failed
        and (run.id in wanted or not is_done(plan, known[run.id]))
        and all(known[base.id].trained for base in run.bases.values())
    ]


def _weights_wanted(plan: Plan, known: Mapping[str, Known]) -> set[str]:
    """The runs whose weights are not here, though runs that are to be done stand on them."""
    wanted: set[str] = set()
    for wave in reversed(plan.waves):
        for run in wave:
            if run.id in wanted or not is_done(plan, known[run.id]):
                wanted |= {base.id for base in run.bases.values() if not known[base.id].trained}
    return wanted


def uncompared(plan: Plan, known: Mapping[str, Known], failed: Mapping[str, str]) -> list[PlannedRun]:
    """The runs that lack UDR and whose mates are all done here."""
    here = {name for name, each in known.items() if is_done(plan, each) and not each.given}

    def is_left(run: PlannedRun) -> bool:
        compared = {run.id, *(mate.id for mate in plan.mates(run))}
        return not has_udr(plan, run, known[run.id]) and compared <= here

    return [run for run in plan.runs if run.id not in failed and is_left(run)]


def fallen(runs: Sequence[PlannedRun], failed: Mapping[str, str]) -> Iterator[tuple[PlannedRun, str]]:
    """The runs that stand on a failed one, and so fail with it, each with the reason."""
    for run in runs:
        broken = [base for base in run.bases.values() if base.id in failed]
        if broken and run.id not in failed:
            base = broken[0]
            yield run, f"it stands on {base.id} ({describe(base)}), which failed: {failed[base.id]}"
