import os
import threading

import pytest

from rtrack_ros.model_thread import ModelThread


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_calls_run_in_one_other_thread_and_return():
    thread = ModelThread('model', 0)
    names = {thread.call(lambda: threading.current_thread().name) for _ in range(3)}
    assert len(names) == 1 and names.pop().startswith('model')
    assert thread.call(divmod, 7, 2) == (3, 1)
    thread.close()


def test_what_a_call_raises_arrives():
    thread = ModelThread('model', 0)
    with pytest.raises(ZeroDivisionError):
        thread.call(divmod, 1, 0)
    assert thread.call(lambda: 'still there') == 'still there'
    thread.close()


@pytest.mark.skipif(not hasattr(os, 'setpriority'), reason='niceness is a matter of Unix')
def test_only_the_model_and_the_threads_it_starts_are_nice():
    def with_child():
        found = [niceness()]
        child = threading.Thread(target=lambda: found.append(niceness()))
        child.start()
        child.join()
        return found
    before = niceness()
    thread = ModelThread('model', 4)
    expected = min(before + 4, 19)
    assert thread.call(with_child) == [expected, expected]
    assert niceness() == before
    thread.close()
