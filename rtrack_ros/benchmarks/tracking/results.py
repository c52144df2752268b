"""Results of the streaming benchmark: kept scene by scene, summed up in one table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtrack_ros.benchmarks.tracking.plan import Plan
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.metrics.presence import Presence
from rtrack_ros.evaluation.streaming.latency import AT_ONCE, AtOnce, Fixed
from rtrack_ros.evaluation.streaming.pooling import Row, pool
from rtrack_ros.evaluation.streaming.trials import (
    BLOCKING,
    BYTETRACK,
    NO_DELAY,
    OURS,
    PERFECT,
    Trial,
)


@dataclass(frozen=True)
class Summary:
    """The rows of a benchmark and what follows from them.

    Attributes:
        rows: Methods at the profile of the plan, ours and ByteTrack with the same answers at
            once, and ours with an engine that takes no time, on the same trials.
        sweep: Methods at fixed delays, and ours with answers as rare that come at once.
    """

    rows: list[Row]
    sweep: list[Row]

    def find(self, answers: str, method: str, profile: str) -> Row | None:
        """Return a row of the table."""
        return next((row for row in self.rows
                     if (row.answers, row.method, row.profile) == (answers, method, profile)),
                    None)

    def ratios(self, answers: str, profile: str) -> dict[str, float]:
        """Return ours against others, as far as they were run.

        The ceiling is ours with an engine that takes no time and is asked about every pair;
        ``hota_to_at_once`` compares with the same answers about the same frames without delay,
        ``hota_to_perfect`` with perfect motion of everybody whom the late answers name.
        """
        ours = self.find(answers, OURS, profile)
        if ours is None:
            return {}
        ratios: dict[str, float] = {}
        for name, row in (('hota_to_blocking', self.find(answers, BLOCKING, profile)),
                          ('hota_to_at_once', self.find(answers, OURS, f'{profile}{AT_ONCE}')),
                          ('hota_to_perfect', self.find(answers, PERFECT, profile)),
                          ('hota_to_ceiling', self.find(answers, OURS, NO_DELAY.name))):
            if row is not None and row.scores.hota > 0:
                ratios[name] = round(ours.scores.hota / row.scores.hota, 3)
        for name, mark in (('', ''), ('_at_once', AT_ONCE)):
            first, second = (self.find(answers, method, f'{profile}{mark}')
                             for method in (OURS, BYTETRACK))
            if first is not None and second is not None and second.scores.idsw:
                ratios[f'idsw_to_bytetrack{name}'] = round(
                    first.scores.idsw / second.scores.idsw, 3)
                ratios[f'idsw_rate_to_bytetrack{name}'] = round(
                    first.switch_rate / second.switch_rate, 3)
        return ratios


def summarise(plan: Plan, scenes: Sequence[Sequence[Trial]]) -> Summary:
    """Return the table over all scenes, and the sweep over the scenes that have it."""
    fixed = {profile.name for delay_s in plan.delays_s
             for profile in (Fixed(delay_s), AtOnce(Fixed(delay_s)))}
    listed = {plan.profile.name, AtOnce(plan.profile).name}
    table = [trial for trials in scenes for trial in trials if trial.profile in listed
             or (trial.method, trial.profile) == (OURS, NO_DELAY.name)]
    swept = [trial for trials in scenes[:plan.sweep_scenes] for trial in trials
             if trial.profile in fixed and trial.draw == 0]
    return Summary(pool(table), pool(swept))


def as_json(plan: Plan, summary: Summary, scenes: int) -> dict[str, Any]:
    """Return everything that the benchmark found as plain values.

    Args:
        plan: What was run.
        summary: What came of it.
        scenes: Number of scenes that were finished.
    """
    answers = list(dict.fromkeys(row.answers for row in summary.rows))
    return {'plan': plan.as_dict(), 'scenes': scenes,
            'sweep_scenes': min(scenes, plan.sweep_scenes),
            'ratios': {name: summary.ratios(name, plan.profile.name) for name in answers},
            'rows': [row.as_dict() for row in summary.rows],
            'sweep': [row.as_dict() for row in summary.sweep]}


class TrialFolder:
    """Keeps the trials of every finished scene in a folder, one JSON file a scene.

    Args:
        folder: Created when the first scene is saved.
        plan: What is run; a scene that was run under another plan is refused.
        answers: Names of who answers.
    """

    def __init__(self, folder: Path, plan: Plan, answers: Sequence[str]) -> None:
        self._folder, self._answers = folder, list(answers)
        self._plan = plan.as_dict()

    def clear(self) -> None:
        """Delete the scenes of an earlier run."""
        for path in self._folder.glob('scene_*.json'):
            path.unlink()

    def load(self, number: int) -> list[Trial] | None:
        """Return the trials of a finished scene, None where it is still to be run.

        Raises:
            DataError: the scene was run under another plan.
        """
        path = self._path(number)
        if not path.exists():
            return None
        content = json.loads(path.read_text())
        if (content['plan'], content['answers']) != (self._plan, self._answers):
            raise DataError(f'{path} was run with other settings; run without --resume to begin '
                            'anew, or give the settings of that run')
        return [Trial(**{**item, 'presence': Presence(**item['presence'])})
                for item in content['trials']]

    def save(self, number: int, trials: Sequence[Trial]) -> None:
        """Write the trials of a finished scene."""
        self._folder.mkdir(parents=True, exist_ok=True)
        content = {'plan': self._plan, 'answers': self._answers,
                   'trials': [asdict(trial) for trial in trials]}
        path = self._path(number)
        partial = path.with_suffix('.part')
        partial.write_text(json.dumps(content, separators=(',', ':')) + '\n')
        partial.replace(path)

    def _path(self, number: int) -> Path:
        return self._folder / f'scene_{number:03d}.json'
