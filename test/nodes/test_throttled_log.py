import pytest

from rtrack_ros.nodes.throttled_log import ThrottledLog


class Lines(list):
    def warning(self, text: str) -> None:
        self.append(text)

    def error(self, text: str) -> None:
        self.append(f'ERROR {text}')


def test_each_kind_is_written_once_per_period_with_the_number_left_out() -> None:
    now = [0.0]
    lines = Lines()
    log = ThrottledLog(lines, period_s=5.0, clock=lambda: now[0])
    for _ in range(10):
        log.warning('a', 'first kind')
        log.error('b', 'second kind')
        now[0] += 1.0
    assert lines == ['first kind', 'ERROR second kind', 'first kind (4 more like this)',
                     'ERROR second kind (4 more like this)']


def test_warnings_and_errors_may_come_in_any_order() -> None:
    logging = pytest.importorskip('rclpy.logging', reason='the logger of ROS 2')
    log = ThrottledLog(logging.get_logger('test_throttled_log'))
    log.warning('a', 'a warning')
    log.error('b', 'an error')
    log.warning('c', 'another warning')
