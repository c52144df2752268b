import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.language.coordinates import (
    BBOX_PROTOCOLS,
    ProtocolError,
    model_from_pixels,
    pixels_from_model,
)

# A busy machine is slow, not wrong.
patiently = settings(max_examples=60, deadline=None,
                     suppress_health_check=[HealthCheck.too_slow])

side = st.integers(16, 4000)
size = st.tuples(side, side)
share = st.floats(0, 1)


def test_rel1000_is_thousandths_of_the_original_image():
    assert pixels_from_model((250, 500, 1000, 1000), 'rel1000', (640, 480), (320, 256)) == (
        160, 240, 640, 480)


def test_abs_resized_scales_each_axis_by_its_own_ratio():
    # 640 x 480 seen as 644 x 476: a single scale would be off by three pixels at the far corner.
    assert pixels_from_model((322, 238, 644, 476), 'abs_resized', (640, 480), (644, 476)) == (
        pytest.approx((320, 240, 640, 480)))


@patiently
@given(st.tuples(share, share, share, share), st.sampled_from(BBOX_PROTOCOLS), size, size)
def test_there_and_back_is_the_same_place(shares, protocol, image_size, model_size):
    box = tuple(part * (image_size[axis % 2]) for axis, part in enumerate(shares))
    there = model_from_pixels(box, protocol, image_size, model_size)
    back = pixels_from_model(there, protocol, image_size, model_size)
    assert back == pytest.approx(box, abs=1e-6)


@pytest.mark.parametrize('protocol', ['', 'pixels', 'REL1000', 'abs'])
@pytest.mark.parametrize('convert', [pixels_from_model, model_from_pixels])
def test_an_unknown_protocol_is_refused_with_the_known_ones(convert, protocol):
    with pytest.raises(ProtocolError, match='rel1000, abs_resized'):
        convert((0, 0, 1, 1), protocol, (640, 480), (320, 256))
