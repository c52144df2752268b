"""Whether a loaded model boxes what it is asked for: known pictures, a verdict in one sentence."""

from rtrack_ros.language.self_test.running import MODES, run_self_test, self_test
from rtrack_ros.language.self_test.verdict import Verdict

__all__ = ['MODES', 'Verdict', 'run_self_test', 'self_test']
