"""The tracker node with the truth in place of a model.

python -m rtrack_ros.benchmarks.pipeline.true_node ANSWERS [arguments of the node]
"""

import sys
from pathlib import Path

from rtrack_ros.benchmarks.pipeline.true_answers import true_engine
from rtrack_ros.nodes import model, tracker_node


def main() -> None:
    """Run the node."""
    answers = Path(sys.argv.pop(1))
    model.load = lambda settings: true_engine(answers)  # type: ignore[attr-defined,assignment]
    tracker_node.main()


if __name__ == '__main__':
    main()
