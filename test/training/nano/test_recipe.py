"""The whole recipe of rtrack-nano in one command, which goes on where it was stopped."""

import importlib.util
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

import numpy as np  # noqa: E402
import yaml  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from rtrack_ros.cli import main  # noqa: E402
from rtrack_ros.engines.transformers import TransformersEngine  # noqa: E402
from rtrack_ros.language.grammar import answer_grammar  # noqa: E402
from rtrack_ros.language.prompts import ground_prompt  # noqa: E402
from rtrack_ros.provenance import ProvenanceError  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.models.nano import on_int8_grid  # noqa: E402
from rtrack_ros.training.nano import recipe, trainer  # noqa: E402
from rtrack_ros.training.nano.recipe import plan_runs, scaled, train_recipe  # noqa: E402
from rtrack_ros.training.nano.settings import read_nano  # noqa: E402
from rtrack_ros.training.yaml_settings import SettingsError  # noqa: E402

NANO, MORE = shipped_config('nano'), shipped_config('nano_more')


def small(content: dict[str, Any]) -> dict[str, Any]:
    content = deepcopy(content)
    content['data'] |= {'shards': 1}
    content['data']['closeups'] |= {'shards': 1}
    content['dense']['images'] = content['language']['images'] = 2
    content['language']['sentences'] = 1
    content['language'].pop('dense_images', None)
    return content


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped recipe with all its runs; batches are small."""
    more = tmp_path / 'more.yaml'
    more.write_text(yaml.safe_dump(small(read_nano(MORE))))
    content = small(read_nano(NANO))
    content['recipe']['config'] = str(more)
    path = tmp_path / 'recipe.yaml'
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.timeout(900)
def test_the_whole_recipe_runs_and_goes_on_where_it_was_stopped(
        config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    command = ['train', 'nano', '--config', str(config), '--out', str(tmp_path / 'out'),
               '--steps-scale', '0.002']
    train, begun = trainer.train_config, []

    def interrupted(content, out, *more):
        begun.append(out.name)
        if begun.count('third-a') == 1 and out.name == 'third-a':
            raise KeyboardInterrupt
        return train(content, out, *more)

    monkeypatch.setattr(recipe, 'train_config', interrupted)
    assert main(command) == 130
    assert main(command) == 0
    said = capsys.readouterr().out
    assert 'run second-b, 3 of 7: is there already' in said and 'average of 2 runs' in said
    assert 'run fourth-b, 7 of 7\n' in said
    model = tmp_path / 'out' / 'model'
    one, other, mean = (load_file(folder / 'model.safetensors') for folder in (
        tmp_path / 'out' / 'fourth-a' / 'model', tmp_path / 'out' / 'fourth-b' / 'model', model))
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert all(torch.allclose(on_int8_grid((one[name].float() + other[name].float()) / 2),
                              mean[name].float(), atol=5e-3) for name in one)
    before = (model / 'model.safetensors').stat().st_mtime_ns
    assert main(command) == 0 and 'model is there already' in capsys.readouterr().out
    assert (model / 'model.safetensors').stat().st_mtime_ns == before
    use(model)


def use(model: Path) -> None:
    """Do what the model card says a folder is for: answer a question, and be compiled."""
    engine = TransformersEngine(model)
    try:
        facts = engine.capabilities()
        prompt = ground_prompt('the person', facts.prompt)
        black = np.zeros((96, 128, 3), np.uint8)
        reply = engine.infer([black, black], prompt, answer_grammar(2, facts.labels), 60)
    finally:
        engine.close()
    assert facts.model == 'rtrack-nano' and facts.tasks == trainer.TAUGHT
    assert reply.text.startswith('[')
    if importlib.util.find_spec('gguf') is not None:
        assert main(['compile', '--engine', 'llamacpp', '--model', str(model)]) == 0
        assert list((model / 'llamacpp').glob('*.gguf'))


def test_the_shipped_recipe_is_that_of_the_model_card() -> None:
    plan = plan_runs(read_nano(NANO), 'nano')
    assert list(plan.runs) == ['first', 'second-a', 'second-b', 'third-a', 'third-b', 'fourth-a',
                               'fourth-b']
    assert plan.average == ('fourth-a', 'fourth-b')
    assert plan.runs['third-b'][1] == ('second-a', 'second-b')
    seeds = [config['seed'] for config, _ in plan.runs.values()]
    assert len(set(seeds)) == len(seeds)
    # A run goes on from weights of the recipe, never from those that ship.
    assert all('initial' not in config for config, _ in plan.runs.values())
    first, second = plan.runs['first'][0], plan.runs['second-b'][0]
    assert first['language']['steps'] == 3400 and second['language']['steps'] == 1300
    assert second['language']['closeups'] == {'object_crop': 0.15, 'locate': 0.3}


def test_a_share_of_the_steps_is_one_of_the_data_too() -> None:
    content = read_nano(NANO)
    assert scaled(content, 1.0) == content
    tenth = scaled(content, 0.1)
    assert tenth['dense']['steps'] == 310 and tenth['language']['decay_steps'] == 65
    assert tenth['data']['frames_per_shard'] == 200 and tenth['data']['held_out_frames'] == 60
    assert tenth['language']['learning_rate'] == content['language']['learning_rate']
    assert not tenth['compile'] and content['compile'] is True
    tiny = scaled(content, 1e-6)
    assert tiny['dense']['steps'] == 1 and tiny['data']['frames_per_shard'] == 12


@pytest.mark.parametrize('change, said', [
    ({'runs': {'b': {'initial': 'c'}}}, 'initial has unknown entries c'),
    ({'runs': {'b': {}}}, 'initial names no run'), ({'average': ['x']}, 'unknown entries x'),
    ({'runs': {'b': {'initial': 'first', 'change': {'sede': 1}}}}, 'unknown entries sede'),
    ({'runs': {'b': {'initials': 'first'}}}, 'unknown entries initials'),
    ({'runs': ['b']}, 'runs must hold entries'), ({'average': 3}, 'average must be a list'),
    ({'runs': {'b': {'initial': 3}}}, 'must be a list'),
    ({'runs': {'b': {'initial': 'first', 'change': [1]}}}, 'change must hold entries'),
    ({'runs': {'b': {'initial': 'first', 'change': {'seed': -1}}}}, 'seed must lie between 0'),
    ({'rusn': {}}, 'unknown entries rusn'), ([1], 'must hold entries')])
def test_mistakes_of_a_recipe_are_named(tmp_path: Path, change: Any, said: str) -> None:
    content = read_nano(NANO)
    content['recipe'] = change
    path = tmp_path / 'recipe.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match=said):
        train_recipe(path, tmp_path / 'out')


@pytest.mark.parametrize('place, value', [
    ('checkpoint_steps', 0), ('evaluate_steps', 0), ('evaluate_sentences', 1), ('seed', -1),
    ('warmup_steps', 0), ('average', 1.0), ('sigma', 0.0), ('clip_norm', 0.0),
    ('data.shards', 0), ('data.frames_per_shard', 0), ('data.held_out_frames', 0),
    ('data.closeups.episodes_per_shard', 0), ('dense.images', 0), ('dense.steps', -1),
    ('language.sentences', 0), ('language.learning_rate', -0.1), ('language.composed_share', 1.5),
    ('language.closeups.locate', 0.9)])
def test_a_number_with_which_a_run_would_fail_late_is_refused_at_once(
        tmp_path: Path, place: str, value: float) -> None:
    content = read_nano(NANO)
    entry = content
    *above, last = place.split('.')
    for name in above:
        entry = entry[name]
    entry[last] = value
    path = tmp_path / 'nano.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match=f'{place.partition(".")[0]}.* must lie between'):
        read_nano(path)


def test_a_folder_of_another_run_or_recipe_is_refused_before_anything_is_trained(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    monkeypatch.setattr(recipe, 'train_config', lambda *given: trained.append(given))
    monkeypatch.setattr(recipe, '_average', lambda *given: given[1])
    train_recipe(NANO, tmp_path / 'out', scale=0.002)
    assert len(trained) == 7
    with pytest.raises(ProvenanceError, match=r'runs\..* was 6, is now 62'):
        train_recipe(NANO, tmp_path / 'out', scale=0.02)
    (tmp_path / 'run' / 'model').mkdir(parents=True)
    with pytest.raises(ProvenanceError, match='holds results'):
        train_recipe(NANO, tmp_path / 'run')
    assert len(trained) == 7
