"""Which sentences the demonstration asks: by truth alone, and the same every time."""

import pytest

from rtrack_ros.data.pairs import DataError
from rtrack_ros.playback.script import write_script
from rtrack_ros.simulation import Expression


def expression(text: str, kind: str, present: range, ids: int = 1) -> Expression:
    return Expression(text, kind, tuple(frozenset(range(ids)) if index in present else frozenset()
                                        for index in range(100)))


ALL = [expression('the person in red', 'colour', range(30, 100)),
       expression('the pedestrian in blue', 'colour', range(5, 40)),
       expression('the blue car', 'colour', range(100)),
       expression('all cars', 'class', range(40, 83)),
       expression('all cyclists', 'class', range(40, 83), 2),
       expression('any dog', 'nobody', range(0)),
       expression('the person in pink', 'nobody', range(0))]


def test_each_part_gets_the_sentence_with_most_truth_in_it() -> None:
    script = write_script(ALL, 100, 10.0)
    assert [(query.text, query.start_s, query.kind) for query in script] == [
        ('the pedestrian in blue', 0.0, 'colour'), ('all cyclists', 4.0, 'class'),
        ('the person in pink', 8.3, 'nobody')]


def test_sentences_about_people_come_first_where_they_mean_anybody() -> None:
    people = expression('all people', 'class', range(50, 60))
    assert write_script([*ALL, people], 100, 10.0)[1].text == 'all people'
    nobody = expression('all people', 'class', range(0, 40))
    assert write_script([*ALL, nobody], 100, 10.0)[1].text == 'all cyclists'


def test_among_equals_the_first_is_taken() -> None:
    twins = [expression(f'the person in {name}', 'colour', range(5, 40))
             for name in ('green', 'white')]
    assert write_script([*twins, *ALL], 100, 10.0)[0].text == 'the person in green'


@pytest.mark.parametrize('kind', ['colour', 'class', 'nobody'])
def test_a_scene_without_a_suitable_sentence_names_the_remedy(kind: str) -> None:
    empty = ALL[0] if kind == 'nobody' else expression('the person in grey', kind, range(0))
    left = [item for item in ALL if item.kind != kind]
    with pytest.raises(DataError, match=f"'{kind}'.*--seed"):
        write_script([*left, empty], 100, 10.0)
