"""Conversations to fine-tune on, and the balance of what they are about."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.cli import main
from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.balance import balanced_frames
from rtrack_ros.data.conversations import ConversationStyle, write_conversations
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import write_refrt
from rtrack_ros.language.parser import parse_answer
from rtrack_ros.simulation import make_scene


def frame(meant: bool, labelled: bool = True) -> AnnotatedFrame:
    return AnnotatedFrame(0, Path('a'), None, {1: (0, 0, 5, 5)},
                          frozenset({1} if meant else ()), labelled)


def sequence(condition: str, meant: list[bool]) -> AnnotatedSequence:
    return AnnotatedSequence('set', condition, tuple(map(frame, meant)), condition=condition)


def test_conditions_come_equally_often_and_empty_answers_at_their_share() -> None:
    sequences = [sequence('day', [True] * 300 + [False] * 20), sequence('night', [True, False]),
                 sequence('fog', [True] * 4)]
    chosen = list(balanced_frames(sequences, 1200, seed=3, empty_share=0.3))
    assert Counter(item.sequence for item in chosen) == {0: 400, 1: 400, 2: 400}
    empty = [sequences[item.sequence].frames[item.frame].absent for item in chosen]
    for number in (0, 1):
        share = np.mean([absent for absent, item in zip(empty, chosen, strict=True)
                         if item.sequence == number])
        assert share == pytest.approx(0.3, abs=0.08)
    assert chosen == list(balanced_frames(sequences, 1200, seed=3, empty_share=0.3))
    assert chosen != list(balanced_frames(sequences, 1200, seed=4, empty_share=0.3))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 99))
def test_no_frame_comes_again_before_the_others_of_its_kind(meant: list[bool], seed: int) -> None:
    chosen = list(balanced_frames([sequence('day', meant)], 40, seed))
    for kind in (True, False):
        counts = Counter(item.frame for item in chosen if meant[item.frame] == kind)
        known = [counts[index] for index, value in enumerate(meant) if value == kind]
        assert not known or max(known) - min(known) <= 1


def test_frames_without_labels_are_never_chosen() -> None:
    mixed = AnnotatedSequence('set', 'a', (frame(False, labelled=False), frame(True)))
    assert {item.frame for item in balanced_frames([mixed], 20, 0)} == {1}
    unknown = AnnotatedSequence('set', 'a', (frame(False, labelled=False),))
    with pytest.raises(ValueError, match='labelled'):
        next(balanced_frames([unknown], 1, 0))


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('refrt')
    scene = make_scene(4, seconds=0.3, conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder)
    return folder


@pytest.mark.parametrize(('protocol', 'size'), [('rel1000', (96, 64)), ('abs_resized', (112, 84))])
def test_the_answers_are_the_truth_in_the_models_coordinates(
        root: Path, tmp_path: Path, protocol: str, size: tuple[int, int]) -> None:
    from rtrack_ros.data.layouts import read_layout

    sequences = read_layout('refrt', root)
    choices = list(balanced_frames(sequences, 12, seed=1, empty_share=0.4))
    style = ConversationStyle(protocol, size)
    assert write_conversations(tmp_path, sequences, choices, style) == 12
    lines = (tmp_path / 'conversations.jsonl').read_text().splitlines()
    found = 0
    for line, choice in zip(lines, choices, strict=True):
        sample = json.loads(line)
        question, answer = (message['content'] for message in sample['messages'])
        truth = sequences[choice.sequence].frames[choice.frame]
        assert sequences[choice.sequence].sentences[0].lower() in question
        assert question.count('<image>') == len(sample['images']) == 2
        for name in sample['images']:
            image = cv2.imread(str(tmp_path / name))
            assert image.shape[:2] == (size[1], size[0])
        boxes = [item.box for item in parse_answer(answer, protocol, (160, 120), size)]
        expected = sorted(truth.objects[name] for name in truth.meant)
        assert len(boxes) == len(expected)
        found += len(boxes)
        for box, wanted in zip(boxes, expected, strict=True):
            assert box == pytest.approx(wanted, abs=2.0)
    assert found > 3


def test_sizes_that_would_be_resized_again_are_refused() -> None:
    with pytest.raises(DataError, match='multiples of 28'):
        ConversationStyle('abs_resized', (640, 480))


def test_sets_without_sentences_are_refused(tmp_path: Path) -> None:
    bare = [sequence('day', [True])]
    with pytest.raises(DataError, match='no sentence'):
        write_conversations(tmp_path, bare, balanced_frames(bare, 1, 0), ConversationStyle())


def test_the_command_writes_and_says_what(root: Path, tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    command = ['convert', '--layout', 'refrt', '--set', str(root), '--out', str(tmp_path / 'o'),
               '--samples', '5', '--size', '96x64']
    assert main(command) == 0
    assert 'wrote 5 samples' in capsys.readouterr().out
    assert main(command) == 2
    assert 'exists' in capsys.readouterr().err
