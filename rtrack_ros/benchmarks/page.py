"""Writes the page of all figures from the records: ``docs/benchmarks.md``.

    python -m rtrack_ros.benchmarks.page > docs/benchmarks.md

A section stands here for every benchmark, with the meaning of its columns. Its tables come from
the records that it names; a record that no section names comes last, so that none is lost.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtrack_ros.benchmarks.record import FOLDER, Record, RecordError
from rtrack_ros.benchmarks.result_tables import tables_of

_WIDTH = 99
_TABLE = ('|', '**')


@dataclass(frozen=True)
class Section:
    """One benchmark of the page.

    Attributes:
        title: Headline.
        meaning: What is measured and what the columns mean, in Markdown.
        command: What makes the first record; shown where there is none yet.
        records: Names of its records, in order; each also takes in those that begin with it and
            an underscore.
    """

    title: str
    meaning: str
    command: str
    records: tuple[str, ...]


HEAD = """# Benchmarks

Every figure of this project stands on this page. Each table names the command that made it, the
processor, and the day. The page is generated: change the records in `docs/benchmarks/`, then run
`python -m rtrack_ros.benchmarks.page > docs/benchmarks.md`.

Words that many tables use:

- **Held-out scenes**: simulated scenes that no training and no tuning has seen (seeds from
  9 500 000). They show day, dusk, night, smoke, glare and crossover. In crossover people are as
  warm as what is behind them.
- **IoU**: how well two boxes overlap. 1 is the same box, 0 is no overlap. A box counts as right
  from IoU 0.5 on.
- **Recall**: the share of the true boxes that were found. **Precision**: the share of the found
  boxes that are right. **F1**: one figure for both; 1 is perfect.
- **HOTA**: one figure for tracking, in percent. It joins **DetA** (are the boxes right?) and
  **AssA** (does each object keep its ID?). **IDF1** asks how long each object has one ID.
- **Median**: half of the values are smaller. **p99**: 99 of 100 values are smaller.

Who answers? rtrack-nano, or the **oracle**: the truth with seeded faults. The oracle leaves out
15 % of the boxes. One answer in ten has a box too many. Its boxes are off by 4 % of their size. No
large model has been run with real weights yet.

Some figures were **measured before the benchmarks wrote records**. They were copied from the
documents of that time. Their commit and date are those of the document.
"""

SECTIONS: Sequence[Section] = (
    Section('Finding what a sentence means', """\
The model gets one pair of images and a sentence. Its boxes are compared with the truth. The
columns say which sensors it had; the other image was black. The rows are the weather, then the
kind of the sentence. "False answers when nobody is meant" is the share of such questions that got
a box all the same. `grounding` looks a second time at every box; `grounding_one_look` does not,
as a live node. `grounding_negations` asks negated and counterfactual sentences, by one look.""",
            'rtrack benchmark grounding', ('grounding',)),
    Section('Engines', """\
All engines that work on the machine, each in a process of its own, are asked in turn about the
same pairs. **Start** includes the engine's packages, **MiB** is what it adds to an empty process,
**CPU ms** the processor time of an answer, which hardly depends on what else the machine does. The
images of a pair are handed over once for all sentences about it. What to choose:
[engines.md](engines.md).""", 'rtrack benchmark engine', ('engine',)),
    Section('Tasks about one object', """\
*Locate*: follow one target from a box for four seconds. **Average overlap** is the mean IoU with
the truth, **success** the share of frames with IoU 0.5 or more. Alone, the model is asked ten
times a second, and each answer moves the next search window. In the tracker it is asked a third as
often. *Verify*: is a sentence true of a box? *Describe*: say what is in a box; each word is judged
by itself.""",
            'rtrack benchmark tasks', ('tasks',)),
    Section('Tracking when answers are late', """\
A recording is replayed in virtual time. The engine takes as long as the profile says:
`orin-qwen3vl-2b-int4` is the published latency of Qwen3-VL-2B in INT4 on a Jetson AGX Orin, 0.37 s
an answer on average. Nothing was run on such a device here. At every instant the newest boxes
published by then are compared with the truth of that instant (**streaming HOTA**). All rows get
the same answers.

- **rtrack_ros** carries its boxes ahead by the time between two images
  (`tracker.prediction_horizon_s`), as a robot wants it that acts on the newest array. *At the
  stamp* is the default: boxes belong to the stamp of their image. *By whole answers* does not use
  the first boxes of an answer before its end.
- **Kalman only**: the answers with a Kalman filter, without optical flow. **Blocking model**: the
  model on frame after frame, nothing between. **ByteTrack**: the package `trackers`, on the
  answers. **Static first box**: the first box, for ever. **Perfect motion**: moves as the truth
  does; it shows what late answers allow at best.
- **+ detector**: boxes of everything in view ten times a second, 30 ms late, with the same faults
  and class names only. **+ judge**: the engine may say yes or no to single objects besides.
  ByteTrack and OC-SORT of the package `trackers` get the same boxes and verdicts.
- **ID switches** are counted over all draws. **Per 1000** is the same for 1000 matched boxes: a
  method that matches few boxes cannot switch often. **Own ms** is the median time for a pair.

![Streaming HOTA over engine delay](streaming.svg)""",
            'rtrack benchmark tracking --sentences 2 --draws 3', ('tracking',)),
    Section('A real clip', """\
A clip with people in smoke (M3SVD 0117_1605, MIT licence). No pixel of it was trained on; the
levels of light and smoke in some training frames were chosen with its statistics in mind. People
have boxes on key frames. `clip` judges the tracker alone. It is given true boxes as answers, once
a second. On the key frames between, **followed** is the share of the people whose own track covers
them at IoU 0.5; **covered** counts any track. `clip_asked` judges the answers of the model about
the key frames. Far, tiny people have no true box, so that some "false" boxes are right.""",
            'rtrack benchmark clip --rgb ... --thermal ... --truth ... --ask "the people"',
            ('clip',)),
    Section('One target from a box', """\
One target is followed from its first box, as the service `initialize_track` does: in held-out
scenes, two targets in each, and in real clips of a small drone (Anti-UAV, MIT licence, thermal
only, which stands for both cameras). **Average overlap** is the mean IoU with the true box, as
GOT-10k counts it; a target that is said to be gone while it is in view has 0. **Still box** never
moves. **MIL** is the tracker of that name in OpenCV. **No model** leaves the target to the
tracker's own eye: flow and appearance. The time of a frame is processor time, without the
model.""", 'rtrack benchmark box --clips ../shared/data/anti-uav', ('box',)),
    Section('Cost', """\
Processor time of one pair on one core, from the serialised images to the serialised array. The
common ROS way is ApproximateTime, cv_bridge and ByteTrack on every frame; the detector it needs is
not counted. **Stamp to publish** is the time from the stamp of an RGB image to the moment its
array leaves the node, through real DDS. The soak plays for long and watches the memory. Times
grow on a busy machine; ratios hardly do.""", 'rtrack benchmark cost', ('cost',)),
    Section('Where processor time is scarce', """\
Scenes are played at 30 Hz to the real node, which gets a **share** of every core alone. **Got** is
the share that a program gets which wants all of it. The **age** is that of the newest array, as a
robot sees it that looks a hundred times a second: now, less the stamp of the array. It holds
waiting, work, and the time between two arrays. **Streaming HOTA** compares the newest boxes at the
instant of every image with the truth of that instant. The common way is ApproximateTime and a
model that is waited for.

![Age and score over the share of the processor](pipeline.svg)

Plays with a number of tracks have true answers, half a second late, in place of the model. They
show what tracks cost. Fifty people fill this scene, and the truth and the answers name also those
who stand behind others. A camera cannot follow them. So with 10 and with 50 tracks the common way
scores higher here: its boxes are old, but no one in front draws them along.""",
            'rtrack benchmark pipeline', ('pipeline',)),
    Section('Two cameras of other rates and clocks', """\
Two cameras are played by a clock of the benchmark: equal rates, a thermal camera of 9 Hz, one
that delivers late, stamps that are off, dropped images, jitter. **Published** is the share of
RGB images that leave at all, **of its instant** the share whose thermal image is believed to be
of the same instant; flow and re-detection use no other. The **true age** is known from when
images were taken, whatever their stamps say. Where a parameter stands in the row, it is the one
that `~/status` names in that situation. **CPU ms** is what the intake costs with raw thermal of
640x480: judging, pairing, scaling, registering. ApproximateTime is that of message_filters, with
thermal stretched by its least and greatest value.""", 'rtrack benchmark intake', ('intake',)),
    Section('Do scores mean what they say?', """\
Every published box has a score: the probability that it is right. Boxes are grouped by score, and
the share of right ones is counted. Where the two columns agree, the score can be believed. The
**expected calibration error** is their mean distance. The **Brier score** is the mean squared
distance between score and outcome; lower is better.""", 'rtrack benchmark calibration',
            ('calibration',)),
    Section('Crops, and several sentences at once', """\
Some models find more when they see an enlarged part of the image. Some engines read the images
once for several sentences. This asks the same questions both ways.""",
            'rtrack benchmark crops', ('crops',)),
    Section('The demonstration', """\
A simulated scene of 30 s is played over DDS to the node at 30 Hz, and the published boxes are
scored. **Age** is the time between the newest pair and the pair of the newest answer.""",
            'make demo', ('demo', 'setup')),
    Section("The tracker's Siamese network", """\
The network finds an object of the last answer again in a window of now. **Presence right**: how
often it says rightly whether the object is in the window. **Error over scale**: 1 where the
network knows how far off it is; above 1 it is too sure.""",
            'rtrack train siamese --out build/siamese', ('siamese',)),
    Section('Learning', """\
What the methods of training give; [training.md](training.md) explains them. *CAS* is Clipped
Advantage Scaling, *SFT* supervised fine-tuning, *GSPO* the reinforcement of RTrack. The tables of
reinforcement compare both from the same weights with equal processor time. What came out:
reinforcement gained nothing in F1.""", 'rtrack benchmark learning', ('learning',)),
)


def page(folder: Path) -> str:
    """Return the page, in Markdown.

    Args:
        folder: Where the records are.

    Raises:
        RecordError: a record cannot be read or shown.
    """
    records = {path.stem: Record.read(path) for path in sorted(folder.glob('*.json'))}
    parts = [HEAD]
    shown: set[str] = set()
    for section in SECTIONS:
        named = [record for name in section.records for record in _of(records, name)]
        shown |= {record.name for record in named}
        parts.append(_section(section, named))
    others = [record for name, record in records.items() if name not in shown]
    if others:
        parts.append('## Other records\n')
        parts += [_shown(record) for record in others]
    return '\n'.join(parts)


def _of(records: Mapping[str, Record], name: str) -> Iterator[Record]:
    return (record for known, record in records.items()
            if known == name or known.startswith(f'{name}_'))


def _section(section: Section, records: Sequence[Record]) -> str:
    parts = [f'## {section.title}\n', f'{section.meaning}\n']
    if not records:
        parts.append(f'Not recorded yet. To measure it: `{section.command}`\n')
    return '\n'.join([*parts, *map(_shown, records)])


def _shown(record: Record) -> str:
    commit = f', commit {record.commit}' if record.commit else ''
    facts = f'{record.date}{commit}. Processor: {record.processor}. {record.note}'
    return '\n'.join([f'### {record.name}\n', f'`{record.command}`\n', f'{_wrapped(facts)}\n',
                      *(f'{part if part.startswith(_TABLE) else _wrapped(part)}\n'
                        for part in tables_of(record))])


def _wrapped(text: str) -> str:
    return textwrap.fill(text.strip(), _WIDTH, break_long_words=False, break_on_hyphens=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the page; returns the exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        print(page(Path(given[0]) if given else FOLDER), end='')
    except RecordError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
