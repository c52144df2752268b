import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.families import recognise_family
from rtrack_ros.engines.llamacpp.pair import GgufPair


@pytest.fixture
def folder(tmp_path):
    """Make a folder of files; a name with a slash lies in a folder of its own."""
    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        return tmp_path
    return make


def named(pair):
    return pair.model.name, pair.projector.name


def test_a_published_pair_is_found_by_its_folder(folder):
    where = folder('Qwen3VL-2B-Instruct-Q4_K_M.gguf', 'mmproj-Qwen3VL-2B-Instruct-F16.gguf',
                   'README.md')
    pair = GgufPair.find(where)
    assert named(pair) == ('Qwen3VL-2B-Instruct-Q4_K_M.gguf',
                           'mmproj-Qwen3VL-2B-Instruct-F16.gguf')
    assert pair.precision == 'q4_k_m' and pair.manifest is None
    assert recognise_family(*pair.names).name == 'qwen3_vl'


def test_a_file_says_which_of_several_models_is_meant(folder):
    where = folder('Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf', 'Qwen2.5-VL-3B-Instruct-Q8_0.gguf',
                   'mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf',
                   'mmproj-Qwen2.5-VL-3B-Instruct-f16.gguf')
    pair = GgufPair.find(where / 'Qwen2.5-VL-3B-Instruct-Q8_0.gguf')
    assert named(pair) == ('Qwen2.5-VL-3B-Instruct-Q8_0.gguf',
                           'mmproj-Qwen2.5-VL-3B-Instruct-f16.gguf')
    assert pair.precision == 'q8_0'
    assert recognise_family(*pair.names).name == 'qwen2_5_vl'
    with pytest.raises(EngineError, match='several models; name one of them: Qwen2.5-VL-3B'):
        GgufPair.find(where)


def test_the_projector_of_another_model_is_not_taken(folder):
    where = folder('a-7b-q8_0.gguf', 'b-7b-q8_0.gguf', 'mmproj-a-7b-f16.gguf',
                   'b-7b.mmproj-f16.gguf')
    assert named(GgufPair.find(where / 'a-7b-q8_0.gguf'))[1] == 'mmproj-a-7b-f16.gguf'
    assert named(GgufPair.find(where / 'b-7b-q8_0.gguf'))[1] == 'b-7b.mmproj-f16.gguf'


@pytest.mark.parametrize('names', [('mmproj-F32.gguf', 'mmproj-BF16.gguf', 'mmproj-F16.gguf'),
                                   ('mmproj-F16.gguf',)])
def test_projectors_without_a_model_in_their_name_belong_to_the_one_beside(folder, names):
    where = folder('Qwen3-VL-4B-Instruct-UD-Q4_K_XL.gguf', *names)
    pair = GgufPair.find(where)
    assert pair.projector.name == 'mmproj-F16.gguf' and pair.precision == 'ud-q4_k_xl'
    assert recognise_family(*pair.names).name == 'qwen3_vl'


def test_of_a_split_model_the_first_file_is_named(folder):
    where = folder('Qwen3VL-32B-Q8_0-00001-of-00002.gguf', 'Qwen3VL-32B-Q8_0-00002-of-00002.gguf',
                   'mmproj-Qwen3VL-32B-F16.gguf')
    pair = GgufPair.find(where)
    assert pair.model.name == 'Qwen3VL-32B-Q8_0-00001-of-00002.gguf'
    assert pair.precision == 'q8_0'


def test_a_converted_folder_of_ours_keeps_its_facts_outside(folder):
    where = folder('rtrack.json', 'llamacpp/mine-f16.gguf', 'llamacpp/mmproj-mine-f16.gguf')
    for path in (where, where / 'llamacpp', where / 'llamacpp' / 'mine-f16.gguf'):
        pair = GgufPair.find(path)
        assert named(pair) == ('mine-f16.gguf', 'mmproj-mine-f16.gguf')
        assert pair.manifest is not None and pair.manifest.resolve() == where.resolve()


def test_facts_beside_a_pair_count(folder):
    where = folder('rtrack.json', 'mine-f16.gguf', 'mmproj-mine-f16.gguf')
    assert GgufPair.find(where).manifest == where


@pytest.mark.parametrize('names, path, said', [
    (('rtrack.json', 'model.safetensors'), '', 'rtrack compile --engine llamacpp --model'),
    (('README.md',), '', 'holds no GGUF model'),
    (('README.md',), 'gone', 'holds no GGUF model'),
    (('a.gguf',), 'b.gguf', 'b.gguf is not there'),
    (('a-q8_0.gguf',), '', 'put the file mmproj-....gguf of the same model'),
    (('a.gguf', 'mmproj-b-f16.gguf', 'mmproj-c-f16.gguf'), '', 'nobody knows which projector'),
])
def test_what_is_missing_is_told_with_its_remedy(folder, names, path, said):
    with pytest.raises(EngineError, match=said):
        GgufPair.find(folder(*names) / path)


def test_a_name_without_a_precision_is_not_guessed_at(folder):
    where = folder('model.gguf', 'mmproj.gguf')
    pair = GgufPair.find(where)
    assert named(pair) == ('model.gguf', 'mmproj.gguf')
    assert pair.precision == 'as in the file'
