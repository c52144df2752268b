"""What is in a simulated scene, as a table for a terminal."""

from rich.table import Table

from rtrack_ros.simulation import Scene


def scene_table(scene: Scene) -> Table:
    """Return the sentences of a scene, and on how many frames each means an object."""
    table = Table(title=f'{scene.place}, {len(scene)} frames, {", ".join(scene.conditions)}',
                  title_justify='left', header_style='bold')
    for name in ('sentence', 'kind'):
        table.add_column(name)
    table.add_column('frames with an object', justify='right')
    for expression in scene.expressions:
        table.add_row(expression.text, expression.kind, str(sum(map(bool, expression.ids))))
    return table
