"""A network that boxes bright squares: real ones of OpenVINO, computed and not written down."""

import numpy as np
import pytest

CELL = 16


@pytest.fixture(scope='session')
def bright_cells(tmp_path_factory):
    """Return the file of a network that boxes every cell of 16 px; its score is the brightness.

    Its output has the form of centres, for the two classes 'dull' (always 0) and 'bright'.
    """
    return _saved(tmp_path_factory.mktemp('network') / 'cells.xml', 320, 256, of_centres)


@pytest.fixture(scope='session')
def bright_rows(tmp_path_factory):
    """Return the file of the same network whose output has the form of rows, size left open."""
    return _saved(tmp_path_factory.mktemp('network') / 'rows.xml', 320, 256, of_rows)


def _saved(path, width, height, head):
    openvino = pytest.importorskip('openvino')
    from openvino import opset13 as op

    image = op.parameter([1, 3, height, width], np.float32, name='images')
    grey = op.reduce_mean(image, np.array([1]), keep_dims=True)
    pooled = op.avg_pool(grey, [CELL, CELL], [0, 0], [0, 0], [CELL, CELL], False)
    brightness = op.reshape(pooled, np.array([1, 1, -1]), False)
    y, x = np.meshgrid((np.arange(height // CELL) + 0.5) * CELL,
                       (np.arange(width // CELL) + 0.5) * CELL, indexing='ij')
    output = head(op, brightness, x.reshape(-1), y.reshape(-1))
    openvino.save_model(openvino.Model([output], [image]), str(path), compress_to_fp16=False)
    return path


def of_centres(op, brightness, x, y):
    boxes = np.stack([x, y, np.full_like(x, CELL), np.full_like(x, CELL)])[None]
    dull = np.zeros((1, 1, len(x)), np.float32)
    return op.concat([op.constant(boxes.astype(np.float32)), op.constant(dull), brightness], 1)


def of_rows(op, brightness, x, y):
    boxes = np.stack([x - 8, y - 8, x + 8, y + 8])[None].astype(np.float32)
    classes = np.ones((1, 1, len(x)), np.float32)
    joined = op.concat([op.constant(boxes), brightness, op.constant(classes)], 1)
    return op.transpose(joined, np.array([0, 2, 1]))
