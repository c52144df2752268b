"""Matching answers to tracks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.tracking.appearance.histogram import Appearance, appearance_of
from rtrack_ros.tracking.association import (
    Boxes,
    Candidates,
    Matched,
    associate,
    match_clear,
    match_so_far,
)
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.views import Views

CONFIG = TrackerConfig()


def candidates(boxes, sigma=2.0, lost=False, appearances=None, suspect=False) -> Candidates:
    count = len(boxes)
    return Candidates(np.array(boxes, float).reshape(-1, 4), np.full(count, sigma),
                      np.full(count, lost), appearances or [None] * count,
                      np.full(count, suspect))


def given_boxes(boxes, appearances=None, labels=None) -> Boxes:
    count = len(boxes)
    return Boxes(np.array(boxes, float).reshape(-1, 4), appearances or [None] * count,
                 labels or [''] * count)


def appearance(colour: int) -> Appearance:
    histogram = np.zeros(96, np.float32)
    histogram[colour] = 1.0
    return Appearance((histogram, histogram, None))


def match(tracks: Candidates, boxes, appearances=None):
    return sorted(associate(tracks, given_boxes(boxes, appearances), CONFIG))


def test_a_box_goes_to_the_track_it_overlaps() -> None:
    tracks = candidates([(0, 0, 50, 100), (300, 0, 350, 100)])
    assert match(tracks, [(305, 2, 355, 102), (4, 1, 54, 101)]) == [(0, 1), (1, 0)]


def test_a_suspect_track_is_matched_farther_off_unless_the_box_looks_different() -> None:
    boxes = [(100, 100, 150, 200), (104, 100, 154, 200)]
    answer = [(102, 100, 152, 200), (250, 100, 300, 200)]
    assert len(match(candidates(boxes), answer)) == 1
    assert len(match(candidates(boxes, suspect=True), answer)) == 2
    appearances = [appearance(0), appearance(1)]
    tracks = candidates(boxes, suspect=True, appearances=appearances)
    assert match(tracks, answer, appearances) == [(0, 0), (1, 1)]
    assert len(match(tracks, answer, [appearance(0), appearance(2)])) == 1


def test_a_small_target_that_jumped_is_still_found() -> None:
    assert match(candidates([(100, 100, 110, 120)]), [(112, 100, 122, 120)]) == [(0, 0)]


def test_far_or_differently_sized_boxes_are_left_alone() -> None:
    tracks = candidates([(100, 100, 150, 200)])
    assert match(tracks, [(400, 100, 450, 200)]) == []
    assert match(tracks, [(0, 0, 600, 450)]) == []


def test_uncertainty_widens_the_search() -> None:
    box = [(330, 100, 380, 200)]
    assert match(candidates([(100, 100, 150, 200)], sigma=5.0), box) == []
    assert match(candidates([(100, 100, 150, 200)], sigma=120.0), box) == [(0, 0)]


def test_appearance_tells_two_crossing_targets_apart() -> None:
    boxes = [(100, 100, 150, 200), (110, 100, 160, 200)]
    tracks = candidates([(105, 100, 155, 200), (104, 100, 154, 200)],
                        appearances=[appearance(3), appearance(40)])
    assert match(tracks, boxes, [appearance(3), appearance(40)]) == [(0, 0), (1, 1)]
    assert match(tracks, boxes, [appearance(40), appearance(3)]) == [(0, 1), (1, 0)]


def test_a_lost_track_is_matched_only_to_a_box_that_looks_alike() -> None:
    tracks = candidates([(100, 100, 150, 200)], sigma=80.0, lost=True, appearances=[appearance(3)])
    far = [(220, 100, 270, 200)]
    assert match(tracks, far, [appearance(3)]) == [(0, 0)]
    assert match(tracks, far, [appearance(40)]) == []


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), max_size=8),
       st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), max_size=8))
def test_each_track_and_each_box_is_used_once(first, second) -> None:
    pairs = match(candidates([(x, y, x + 40, y + 80) for x, y in first]),
                  [(x, y, x + 40, y + 80) for x, y in second])
    assert len({track for track, _ in pairs}) == len({box for _, box in pairs}) == len(pairs)


def test_colours_above_and_below_and_warmth_are_remembered() -> None:
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[:50, :100], rgb[50:, :100] = (200, 20, 20), (20, 20, 200)
    rgb[:50, 100:], rgb[50:, 100:] = (20, 20, 200), (200, 20, 20)
    thermal = np.full((100, 200), 90, np.uint8)
    fine = np.dstack([rgb[:, :, 0], thermal])
    views = Views(rgb, rgb[:, :, 0], thermal, (1.0, 1.0), fine)
    red_over_blue = appearance_of(views, np.array([0.0, 0, 100, 100]))
    blue_over_red = appearance_of(views, np.array([100.0, 0, 200, 100]))
    assert red_over_blue.similarity(red_over_blue) > 0.99
    assert red_over_blue.similarity(blue_over_red) < 0.4
    dark = appearance_of(Views(rgb // 20, rgb[:, :, 0], thermal, (1.0, 1.0), fine),
                         np.array([0, 0, 99, 99.]))
    assert dark.parts[:2] == (None, None), 'colours of a dark image are noise'
    assert appearance_of(views, np.array([500.0, 500, 600, 600])) is None


class TestOfAnUnfinishedAnswer:
    """A box is taken before the end of its answer where no later box can change its track."""

    NEIGHBOURS = ((100, 100, 150, 200), (160, 100, 210, 200))

    @staticmethod
    def so_far(tracks: Candidates, *boxes):
        return match_so_far(tracks, given_boxes(boxes), CONFIG)

    def test_a_box_well_on_a_track_and_one_far_from_all_are_taken(self):
        tracks = candidates(self.NEIGHBOURS)
        assert self.so_far(tracks, (102, 100, 152, 200), (500, 100, 550, 200)) == {0: 0, 1: None}

    def test_a_box_between_two_tracks_waits(self):
        assert self.so_far(candidates(self.NEIGHBOURS), (135, 100, 185, 200)) == {}

    def test_a_box_beside_a_track_waits_for_the_box_of_that_track(self):
        tracks, beside, upon = candidates(self.NEIGHBOURS[:1]), (165, 100, 215, 200), (101, 99,
                                                                                       151, 199)
        assert self.so_far(tracks, beside) == {}
        assert self.so_far(tracks, beside, upon) == {0: None, 1: 0}

    def test_without_tracks_all_boxes_are_new_objects(self):
        assert self.so_far(candidates([]), *self.NEIGHBOURS) == {0: None, 1: None}


class TestOfASentenceThatNeverListedATrack:
    """It may mean the object, or something beside it."""

    def tracks(self, lost=False) -> Candidates:
        made = candidates([(100, 100, 150, 200)], lost=lost)
        return replace(made, unlisted=np.array([True]), labels=['person'])

    def test_the_object_takes_a_box_that_lies_on_it(self) -> None:
        assert associate(self.tracks(), given_boxes([(104, 100, 154, 200)], labels=['person']),
                         CONFIG) == [(0, 0)]

    def test_a_box_beside_it_is_another_object(self) -> None:
        boxes = given_boxes([(160, 100, 210, 200)], labels=['person'])
        assert associate(self.tracks(), boxes, CONFIG) == []
        assert associate(candidates([(100, 100, 150, 200)]), boxes, CONFIG) == [(0, 0)]

    def test_unless_the_object_is_lost(self) -> None:
        boxes = given_boxes([(160, 100, 210, 200)], labels=['person'])
        assert associate(self.tracks(lost=True), boxes, CONFIG) == [(0, 0)]

    def test_another_word_needs_the_same_place(self) -> None:
        bicycle = given_boxes([(100, 140, 150, 210)], labels=['bicycle'])
        assert associate(self.tracks(), bicycle, CONFIG) == []
        assert associate(self.tracks(lost=True), bicycle, CONFIG) == []
        woman = given_boxes([(102, 102, 151, 201)], labels=['woman'])
        assert associate(self.tracks(), woman, CONFIG) == [(0, 0)]

    def test_a_listed_track_as_near_comes_first(self) -> None:
        both = replace(candidates([(100, 100, 150, 200), (102, 100, 152, 200)]),
                       unlisted=np.array([True, False]), labels=['person', 'person'])
        boxes = given_boxes([(101, 100, 151, 200)], labels=['person'])
        assert associate(both, boxes, CONFIG) == [(1, 0)]


class TestOfBoxesThatComeOften:
    """Where two tracks cross, a box that would do for both is not used."""

    def matched(self, tracks, boxes, appearances=None):
        return match_clear(tracks, given_boxes(boxes, appearances), CONFIG)

    def test_boxes_of_tracks_apart_are_used(self) -> None:
        tracks = candidates([(0, 0, 50, 100), (300, 0, 350, 100)])
        matched = self.matched(tracks, [(302, 0, 352, 100), (500, 0, 550, 100)])
        assert matched == Matched({0: 1, 1: None})

    @pytest.mark.parametrize('front', [0, 1])
    def test_one_box_for_two_crossing_tracks_shows_the_one_in_front(self, front) -> None:
        boxes = [(100, 0, 150, 100), (112, 0, 162, 100)]
        boxes[front] = (*boxes[front][:3], 104)
        matched = self.matched(candidates(boxes), [(106, 0, 156, 100)])
        assert matched == Matched({}, frozenset({front}), frozenset({1 - front}))

    def test_two_boxes_that_could_be_swapped_are_left_out(self) -> None:
        tracks = candidates([(100, 0, 150, 100), (106, 0, 156, 100)])
        matched = self.matched(tracks, [(101, 0, 151, 100), (105, 0, 155, 100)])
        assert matched == Matched({}, frozenset({0, 1})), 'both are there'

    @pytest.mark.parametrize('gone', [0, 1])
    def test_a_lost_track_is_no_rival(self, gone) -> None:
        lost = np.array([False, False])
        lost[gone] = True
        tracks = replace(candidates([(100, 0, 150, 100), (112, 0, 162, 100)]), lost=lost)
        own = [(100, 0, 150, 100), (112, 0, 162, 100)][1 - gone]
        assert self.matched(tracks, [own]) == Matched({0: 1 - gone})
        both = replace(tracks, lost=np.array([True, True]))
        assert self.matched(both, [(101, 0, 151, 100)]).track_of == {0: 0}

    def test_unless_they_look_different(self) -> None:
        tracks = candidates([(100, 0, 150, 100), (106, 0, 156, 100)],
                            appearances=[appearance(3), appearance(50)])
        matched = self.matched(tracks, [(105, 0, 155, 100), (101, 0, 151, 100)],
                               [appearance(3), appearance(50)])
        assert matched == Matched({0: 0, 1: 1})
