from rtrack_ros.palette import PALETTE, colour_of


def test_an_id_has_one_colour_and_its_neighbours_have_others() -> None:
    assert colour_of(12) == PALETTE[2]
    assert len({colour_of(identity) for identity in range(len(PALETTE))}) == len(PALETTE) == 10


def test_no_id_is_white_which_means_truth() -> None:
    assert all(min(colour) < 200 for colour in PALETTE)
