"""The form in which every data set is read: sequences of annotated frames, images on demand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rtrack_ros.data.image_folder import read_image
from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.stored_images import StoredImage
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.language.answers import Box


@dataclass(frozen=True)
class AnnotatedFrame:
    """One frame on disk and what is known about it.

    Attributes:
        stamp_ns: Time from the first frame of the recording; frames that a data set leaves out
            leave gaps.
        rgb: The RGB image.
        thermal: The thermal image of the same moment, None where there is none.
        objects: Boxes by id in pixels of the RGB image: x1, y1, x2, y2.
        meant: The ids that the sentence, or the single-object target, means here.
        labelled: Whether the frame was annotated; where not, a missing box says nothing.
        cover: Visible share of a single-object target in [0, 1], 1 where it is not known.
    """

    stamp_ns: int
    rgb: Path
    thermal: Path | None
    objects: Mapping[int, Box]
    meant: frozenset[int]
    labelled: bool = True
    cover: float = 1.0

    @property
    def absent(self) -> bool:
        """Whether it is known that nothing that is meant is in view."""
        return self.labelled and not self.meant


@dataclass(frozen=True, eq=False)
class AnnotatedSequence:
    """A recording with the truth of one sentence, or of one target.

    Attributes:
        dataset: Name of the data set.
        name: Unique within it, and a legal file name.
        frames: In the order of time.
        sentences: Wordings of one meaning, English first; empty for single-object sets.
        labels: Word for each id; ids without one are 'object'.
        condition: Name of the condition or source by which scores are split; may be empty.
        fps: Frames per second of the recording.
        notes: What the annotations get wrong, one line each.
    """

    dataset: str
    name: str
    frames: tuple[AnnotatedFrame, ...]
    sentences: tuple[str, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    condition: str = ''
    fps: float = 30.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def first_box(self) -> Box | None:
        """The target's box in the first frame that shows it; None if no frame does."""
        for frame in self.frames:
            if frame.meant:
                return frame.objects[min(frame.meant)]
        return None

    @property
    def truth(self) -> MotFrames:
        """Boxes that are meant as MOTChallenge rows, frames numbered from 1 in this order."""
        return {number: [MotRow(number, name, frame.objects[name]) for name in sorted(frame.meant)]
                for number, frame in enumerate(self.frames, start=1) if frame.meant}

    def pair(self, index: int) -> FramePair:
        """Read one frame pair; 16-bit thermal is normalised by this frame alone."""
        frame = self.frames[index]
        return replace(next(self._pairs([frame])), stamp_ns=frame.stamp_ns)

    def pairs(self) -> Iterator[FramePair]:
        """Yield all frame pairs; the limits of 16-bit thermal follow the scene.

        Raises:
            DataError: some frames have a thermal image and others none.
        """
        for frame, pair in zip(self.frames, self._pairs(self.frames), strict=True):
            yield replace(pair, stamp_ns=frame.stamp_ns)

    def objects(self, index: int) -> Mapping[int, Box]:
        """Return the boxes of a frame by id."""
        return self.frames[index].objects

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        """Return the ids that are meant in a frame; all wordings mean the same."""
        return self.frames[index].meant

    def label(self, identity: int) -> str:
        """Return the word for an object."""
        return self.labels.get(identity, 'object')

    def _pairs(self, frames: Sequence[AnnotatedFrame]) -> Iterator[FramePair]:
        """Yield frame i of one camera with frame i of the other: that is what a set says."""
        thermal = [frame.thermal for frame in frames if frame.thermal is not None]
        if thermal and len(thermal) < len(frames):
            raise DataError(f'{self.name}: {len(frames) - len(thermal)} of {len(frames)} frames '
                            'have no thermal image; give one for every frame, or for none')
        normalise = ThermalNormaliser()
        for index, frame in enumerate(frames):
            stamp_ns = round(index * 1e9 / self.fps)
            rgb, grey = StoredImage(stamp_ns, read_image(frame.rgb), index + 1).rgb(), None
            if frame.thermal is not None:
                raw = StoredImage(stamp_ns, read_image(frame.thermal), index + 1).thermal()
                grey = register_thermal(normalise(raw.counts, stamp_ns), rgb.shape[1],
                                        rgb.shape[0])
            yield FramePair(stamp_ns, rgb, grey)
