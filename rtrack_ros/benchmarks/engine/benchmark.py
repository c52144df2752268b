"""What engines cost on this machine, and whether they say the same."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from rtrack_ros.benchmarks.engine.worker import Candidate, EngineWorker, Heard, Said
from rtrack_ros.benchmarks.grounding import Case, cases
from rtrack_ros.benchmarks.progress import Progress, no_progress
from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import Capabilities, EngineError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.simulation import make_scene

SENTENCES: Final = (1, 4, 10)
"""Numbers of sentences that are asked about one pair."""

PAIRS: Final = 6
"""Pairs about which so many are asked."""

SLOTS: Final = 4
"""Questions at once of the llama.cpp that is asked several."""

_SAME_IOU: Final = 0.9
_SCENE_SECONDS: Final = 12.0


@contextmanager
def candidates(model: Path, threads: int) -> Iterator[list[Candidate]]:
    """Yield the engines that may work with a model folder; the first is the reference.

    llama.cpp gets the model converted into a temporary folder.
    """
    options = {'threads': threads}
    found = [Candidate(name, name, model, options) for name in ('transformers', 'openvino')]
    with tempfile.TemporaryDirectory(prefix='rtrack-gguf-') as scratch:
        try:
            from rtrack_ros.engines.llamacpp.export import PRECISIONS, export_llamacpp
            for precision in PRECISIONS:
                pair = export_llamacpp(model, precision, Path(scratch, precision))
                found.append(Candidate(f'llamacpp {precision}', 'llamacpp', pair,
                                       {**options, 'manifest': model}))
            found.append(Candidate(f'llamacpp {PRECISIONS[0]} x{SLOTS}', 'llamacpp',
                                   Path(scratch, PRECISIONS[0]),
                                   {**options, 'manifest': model, 'slots': SLOTS}))
        except (EngineError, ModuleNotFoundError):
            # What is missing is told when it is loaded.
            found.append(Candidate('llamacpp', 'llamacpp', model, options))
        yield found


def run_engines(found: Sequence[Candidate], frames: int, seed: int,
                progress: Progress = no_progress) -> dict[str, Any]:
    """Return start-up, memory, times and agreement of all engines that work.

    All are loaded, and then asked in turn about the same pair, each time another one first: what
    else the machine does meets all of them alike. No pair is asked about twice, but for the
    different sentences about one.

    Args:
        found: The engines; the first that works is the reference for boxes.
        frames: Number of frame pairs, one sentence each.
        seed: Seed of the first held-out scene.
        progress: Shows how far it is.

    Raises:
        EngineError: none works, or one that worked fails.
    """
    with ExitStack() as stack:
        workers, refused = _load(found, stack)
        before = os.getloadavg()[0]
        figures = _measure(workers, _asked(frames, seed), seed, progress)
        after = os.getloadavg()[0]
    return {'frames': frames, 'first_seed': seed, 'reference': next(iter(workers)),
            'load_before': round(before, 1), 'load_after': round(after, 1),
            'engines': figures, 'refused': refused}


def _load(found: Sequence[Candidate], stack: ExitStack
          ) -> tuple[dict[str, EngineWorker], dict[str, str]]:
    """Return those that work, closed by the stack, and why the others do not."""
    workers, refused = {}, {}
    for candidate in found:
        try:
            workers[candidate.label] = EngineWorker(candidate)
        except EngineError as error:
            refused[candidate.label] = str(error)
            continue
        stack.callback(workers[candidate.label].close)
    if not workers:
        raise EngineError('no engine works here. ' + ' | '.join(
            f'{label}: {reason}' for label, reason in refused.items()))
    return workers, refused


def _measure(workers: dict[str, EngineWorker], asked: Sequence[Case], seed: int,
             progress: Progress) -> dict[str, Any]:
    idle_s = {label: worker.processor_s() for label, worker in workers.items()}
    heard = _ask_in_turn(workers, [(case.pair, (case.text,)) for case in asked], progress,
                         'one sentence')
    cpu_ms = {label: (worker.processor_s() - idle_s[label]) / len(asked) * 1e3
              for label, worker in workers.items()}
    several = {number: _ask_in_turn(workers, _about_one_pair(seed, number), progress,
                                    f'{number} sentences') for number in SENTENCES}
    reference = next(iter(workers))
    return {label: {
        **_facts(worker), **_times([one.answers[0] for one in heard[label]]),
        'cpu_ms': round(cpu_ms[label], 1),
        'sentences_ms': {str(number): _median([one.ms for one in several[number][label]])
                         for number in SENTENCES},
        **_agreement(asked, heard, label, reference, workers)}
        for label, worker in workers.items()}


def _asked(frames: int, seed: int) -> list[Case]:
    asked: list[Case] = []
    while len(asked) < frames:
        asked += cases(seed, 1)
        seed += 1
    return asked[:frames]


def _about_one_pair(seed: int, number: int) -> list[tuple[FramePair, tuple[str, ...]]]:
    """Return pairs that nobody has seen, each with so many different sentences."""
    asked = []
    for turn in range(PAIRS):
        scene = make_scene(seed + 1000 + turn, _SCENE_SECONDS, fps=2)
        texts = [expression.text for expression in scene.expressions]
        texts += [f'the {text}' for text in texts]  # a scene may have fewer than ten
        texts += [f'{text} over there' for text in texts]
        index = len(scene) * SENTENCES.index(number) // len(SENTENCES)
        asked.append((scene.frame(index).pair(), tuple(texts[:number])))
    return asked


def _ask_in_turn(workers: dict[str, EngineWorker],
                 asked: Sequence[tuple[FramePair, tuple[str, ...]]], progress: Progress,
                 what: str) -> dict[str, list[Heard]]:
    heard: dict[str, list[Heard]] = {label: [] for label in workers}
    labels = list(workers)
    for turn, (pair, sentences) in enumerate(progress(asked, what, len(asked))):
        first = turn % len(labels)
        for label in labels[first:] + labels[:first]:
            heard[label].append(workers[label].ask(pair, sentences))
    return heard


def _facts(worker: EngineWorker) -> dict[str, Any]:
    said = worker.capabilities
    return {'engine': said.name, 'model': said.model, 'precision': said.precision,
            'start_s': round(worker.start_s, 2), 'memory_mib': round(worker.memory_mib())}


def _times(said: Sequence[Said]) -> dict[str, Any]:
    whole = [one.ms for one in said]
    rates = [(one.tokens - 1) / (one.ms - one.first_ms) * 1e3 for one in said
             if one.tokens > 2 and one.ms > one.first_ms]
    return {'ms_p50': _median(whole), 'ms_p95': round(float(np.percentile(whole, 95)), 1),
            'first_ms_p50': _median([one.first_ms for one in said]),
            'tokens_per_s': round(float(np.median(rates))) if rates else None,
            'sent_kb': _median([one.sent_bytes * 1e-3 for one in said])}


def _median(values: Sequence[float]) -> float:
    return round(float(np.median(values)), 1)


def _agreement(asked: Sequence[Case], heard: dict[str, list[Heard]], label: str, reference: str,
               workers: dict[str, EngineWorker]) -> dict[str, Any]:
    """Return how often an engine says what the reference says, and how well the boxes fit."""
    same, fits = 0, []
    for case, mine, theirs in zip(asked, heard[label], heard[reference], strict=True):
        same += mine.answers[0].text == theirs.answers[0].text
        boxes, wanted = (_boxes(one.answers[0].text, case.pair, workers[name].capabilities)
                         for one, name in ((mine, label), (theirs, reference)))
        fits += _fits(wanted, boxes)
    return {'same_text': round(same / len(asked), 3), 'boxes': len(fits),
            'same_boxes': round(float(np.mean([fit >= _SAME_IOU for fit in fits])), 3)
            if fits else None,
            'mean_iou': round(float(np.mean(fits)), 3) if fits else None}


def _boxes(text: str, pair: FramePair, facts: Capabilities) -> list[Box]:
    try:
        return [one.box for one in parse_answer(text, facts.bbox_protocol,
                                                (pair.width, pair.height), facts.image_size)]
    except AnswerError:
        return []


def _fits(wanted: Sequence[Box], boxes: Sequence[Box]) -> list[float]:
    """Return the IoU of every wanted box, and of every box too many, with its partner."""
    fits = np.zeros(max(len(wanted), len(boxes)))
    if wanted and boxes:
        table = iou(wanted, boxes)
        rows, columns = linear_sum_assignment(-table)
        fits[:len(rows)] = table[rows, columns]
    return [float(fit) for fit in fits]
