"""The tracker node, with a count of the answers to each sentence; run in place of it.

python -m rtrack_ros.benchmarks.cost.watched_node COUNTS [arguments of the node]
"""

import json
import sys
import threading
from collections import Counter
from pathlib import Path

from rtrack_ros.language.answers import Answer
from rtrack_ros.nodes import tracker_node
from rtrack_ros.output_files import write_text
from rtrack_ros.tracking.track_book import Outcome
from rtrack_ros.tracking.tracker import Tracker

_PERIOD_S = 1.0


def main() -> None:
    """Run the node; counts go to the file once a second."""
    file, counts, apply = Path(sys.argv.pop(1)), Counter[str](), Tracker.apply

    def counted(tracker: Tracker, answer: Answer) -> Outcome:
        outcome = apply(tracker, answer)
        if outcome is Outcome.APPLIED and not answer.partial:
            counts[answer.query_id] += 1
        return outcome

    def write() -> None:
        write_text(file, json.dumps(dict(counts)))
        timer = threading.Timer(_PERIOD_S, write)
        timer.daemon = True
        timer.start()

    Tracker.apply = counted  # type: ignore[method-assign,assignment]
    write()
    tracker_node.main()


if __name__ == '__main__':
    main()
