"""The page that compares runs, as a Jinja template; it looks like the report of one run."""

from rtrack_ros.evaluation.report.page import STYLE

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>""" + STYLE + """  td.best { font-weight: 700; }
  th, td { padding: 6px; }
</style>
{% macro figure(value, digits=1) %}
{{- '\N{EN DASH}' if value is none else ('%.' ~ digits ~ 'f') % value }}
{%- endmacro %}
<main>
  <h1>{{ title }}</h1>
  {% for note in notes %}
  <p>{{ note }}</p>
  {% endfor %}
  {% for name, rows in groups %}
  <div class="card">
    <h2>{{ name }}</h2>
    <table>
      <tr><th></th>{% for label, field in columns %}<th>{{ label }}</th>{% endfor %}
        <th>switches</th><th>precision</th><th>recall</th><th>presence F1</th>
        <th>absent FPR</th><th>meant</th><th>reported</th></tr>
      {% for run, split, best in rows %}
      <tr><td>{{ run.name }}</td>
        {% for label, field in columns %}
        {% set value = split.scores[field] %}
        <td{% if best.get(field) == value %} class="best"{% endif %}>{{ figure(value) }}</td>
        {% endfor %}
        <td>{{ split.scores.idsw }}</td><td>{{ figure(split.scores.precision) }}</td>
        <td>{{ figure(split.scores.recall) }}</td><td>{{ figure(split.presence.f1) }}</td>
        <td>{{ figure(split.presence.absent_fpr) }}</td><td>{{ split.scores.truth_boxes }}</td>
        <td>{{ split.scores.track_boxes }}</td></tr>
      {% endfor %}
    </table>
  </div>
  {% endfor %}
  {% if single %}
  <div class="card">
    <h2>Average overlap and success rates</h2>
    <table>
      <tr><th></th><th>AO</th><th>SR 0.5</th><th>SR 0.75</th><th>presence F1</th>
        <th>absent FPR</th><th>frames</th><th>sequences</th></tr>
      {% for run in single %}
      <tr><td>{{ run.name }}</td><td>{{ figure(run.ao, 3) }}</td><td>{{ figure(run.sr50, 3) }}</td>
        <td>{{ figure(run.sr75, 3) }}</td><td>{{ figure(run.presence.f1) }}</td>
        <td>{{ figure(run.presence.absent_fpr) }}</td><td>{{ run.frames }}</td>
        <td>{{ run.sequences }}</td></tr>
      {% endfor %}
    </table>
  </div>
  {% endif %}
  {% if tasks %}
  <div class="card">
    <h2>Tasks about one object</h2>
    <table>
      <tr><th></th>{% for label in headings %}<th>{{ label }}</th>{% endfor %}</tr>
      {% for name, values in tasks %}
      <tr><td>{{ name }}</td>
        {% for value in values %}
        {% set first = value is not none and value == best[loop.index0] %}
        <td{% if first %} class="best"{% endif %}>{{ figure(value, 3) }}</td>
        {% endfor %}</tr>
      {% endfor %}
    </table>
  </div>
  {% endif %}
  <div class="pair">
    {% for name, picture in figures %}
    <div class="card"><h2>{{ name }}</h2>{{ picture }}</div>
    {% endfor %}
  </div>
</main>
</html>
"""
