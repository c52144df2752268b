"""The tracker node, with a count of what its model did; run in place of it.

python -m rtrack_ros.benchmarks.cost.watched_node COUNTS [arguments of the node]
"""

import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import DEFAULT_ID
from rtrack_ros.nodes import tracker_node
from rtrack_ros.output_files import write_text
from rtrack_ros.scheduling.worker import GroundingWorker
from rtrack_ros.scheduling.worker_counts import WorkerCounts
from rtrack_ros.tracking.track_book import Outcome
from rtrack_ros.tracking.tracker import Tracker

_PERIOD_S = 1.0
_TASKS = Path('/proc/self/task')


class Watch:
    """Counts what happens in this process.

    Args:
        file: Where the counts go.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answers: Counter[str] = Counter()
        self._arrays = 0
        self._asking = WorkerCounts()
        self._outcomes: Counter[str] = Counter()

    def begin(self) -> None:
        """Count from now on."""
        apply, step, init = Tracker.apply, Tracker.step, GroundingWorker.__init__

        def counted(tracker: Tracker, answer: Answer) -> Outcome:
            outcome = apply(tracker, answer)
            if not answer.partial:
                whose = 'own' if answer.query_id == DEFAULT_ID else 'guests'
                self._outcomes[f'{whose}: {outcome.name.lower()}'] += 1
            if outcome is Outcome.APPLIED and not answer.partial:
                self._answers[answer.query_id] += 1
            return outcome

        def stepped(tracker: Tracker, *arguments: Any) -> Any:
            self._arrays += 1
            return step(tracker, *arguments)

        def made(worker: GroundingWorker, *arguments: Any, **options: Any) -> None:
            init(worker, *arguments, **options)
            self._asking = worker.counts

        Tracker.apply, Tracker.step = counted, stepped  # type: ignore[method-assign,assignment]
        GroundingWorker.__init__ = made  # type: ignore[method-assign,assignment]
        self.write()

    def write(self) -> None:
        """Write the counts, now and once a second."""
        asking = self._asking
        write_text(self._file, json.dumps({
            'answers': dict(self._answers), 'arrays': self._arrays,
            'settled_turns': asking.settled_turns, 'settled_s': asking.settled_s,
            'guest_turns': asking.guest_turns, 'guest_s': asking.guest_s,
            'outcomes': {**self._outcomes, 'deadlines missed': asking.deadlines_missed,
                         'answers invalid': asking.answers_invalid,
                         'engine errors': asking.engine_errors},
            'last_error': asking.last_error,
            **processor_time()}))
        timer = threading.Timer(_PERIOD_S, self.write)
        timer.daemon = True
        timer.start()


def processor_time() -> dict[str, float]:
    """Return the processor time of this process so far, seconds: of the model, of all else.

    The model's threads are those with a higher niceness than the camera's.
    """
    spent = {'model_cpu_s': 0.0, 'node_cpu_s': 0.0}
    own = os.getpriority(os.PRIO_PROCESS, os.getpid())
    for task in _TASKS.iterdir():
        try:
            fields = (task / 'stat').read_text().rpartition(')')[2].split()
        except OSError:  # it has ended
            continue
        name = 'model_cpu_s' if int(fields[16]) > own else 'node_cpu_s'
        spent[name] += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return spent


def main() -> None:
    """Run the node; counts go to the file once a second."""
    Watch(Path(sys.argv.pop(1))).begin()
    tracker_node.main()


if __name__ == '__main__':
    main()
