"""One encoding for equal images: the same features and gradients, the tower asked less."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

from rtrack_ros.training.stages.shared_vision import SharedVision, image_key  # noqa: E402

PATCHES, WIDTH = 8, 6


class Tower(torch.nn.Module):
    """Two patches to a token; counts the images it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2 * WIDTH, 3).double()
        self.shown = 0

    def encode(self, pixels: torch.Tensor, grids: torch.Tensor) -> SimpleNamespace:
        self.shown += len(grids)
        sizes = (grids.prod(-1) // 2).tolist()
        merged = self.layer(pixels.reshape(-1, 2 * WIDTH))
        return SimpleNamespace(pooler_output=merged.split(sizes),
                               deepstack_features=[(2 * merged).split(sizes)])


def batch(*numbers: int) -> tuple[torch.Tensor, torch.Tensor]:
    images = [torch.randn(PATCHES, WIDTH, dtype=torch.float64,
                          generator=torch.Generator().manual_seed(number))
              for number in numbers]
    return torch.cat(images), torch.tensor([[1, 2, 4]] * len(numbers))


def joined(output: SimpleNamespace) -> torch.Tensor:
    return torch.cat([*output.pooler_output, *output.deepstack_features[0]])


def gradient(tower: Tower, encode, pixels, grids) -> torch.Tensor:
    tower.zero_grad()
    found = joined(encode(pixels, grids))
    (found * torch.arange(found.numel()).view_as(found)).sum().backward()
    return tower.layer.weight.grad.clone()


def test_equal_images_are_encoded_once_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    tower, inputs = Tower(), batch(1, 2, 1, 1, 3, 2)
    shared_vision = SharedVision(tower.encode, tower)
    assert torch.allclose(joined(shared_vision(*inputs)), joined(tower.encode(*inputs)))
    tower.shown = 0
    shared = gradient(tower, shared_vision, *inputs)
    assert tower.shown == 3
    assert torch.allclose(shared, gradient(tower, tower.encode, *inputs))


def test_a_learning_tower_is_asked_again_and_a_frozen_one_is_not() -> None:
    tower, inputs = Tower(), batch(1, 2)
    shared_vision = SharedVision(tower.encode, tower, kept=2)
    shared_vision(*inputs)
    with torch.no_grad():
        tower.layer.weight += 1
    assert torch.allclose(joined(shared_vision(*inputs)), joined(tower.encode(*inputs)))
    tower.requires_grad_(False)
    first = shared_vision(*inputs)
    tower.shown = 0
    assert torch.equal(joined(shared_vision(*inputs)), joined(first)) and tower.shown == 0
    shared_vision(*batch(3))  # the oldest of three is forgotten
    shared_vision(*batch(2))
    assert tower.shown == 1
    shared_vision(*batch(1))
    assert tower.shown == 2


def test_images_of_one_content_and_two_shapes_differ() -> None:
    image = torch.zeros(PATCHES, WIDTH)
    assert image_key(image, [1, 2, 4]) != image_key(image, [1, 4, 2])
    assert image_key(image, [1, 2, 4]) == image_key(image.clone(), [1, 2, 4])
