"""The page of a report as a Jinja template."""

STYLE = """
  :root { --ink: #1b2430; --soft: #6b7686; --line: #e4e8ee; --card: #ffffff; --page: #f5f7fa;
          --accent: #2563eb; }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--page); color: var(--ink);
         font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
  main { max-width: 1160px; margin: 0 auto; padding: 36px 20px 60px; }
  h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
  h2 { font-size: 16px; margin: 0 0 4px; }
  p { margin: 0 0 10px; color: var(--soft); max-width: 78ch; }
  .facts { display: flex; flex-wrap: wrap; gap: 2px 26px; margin: 10px 0 22px; }
  .facts span { color: var(--soft); }
  .facts b { font-weight: 600; color: var(--ink); }
  .tiles { display: grid; grid-template-columns: repeat(4, 1fr);
           gap: 12px; margin-bottom: 18px; }
  .tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
  .tile { padding: 13px 16px; }
  .tile b { display: block; font-size: 25px; line-height: 1.25; letter-spacing: -0.02em;
            font-variant-numeric: tabular-nums; }
  .tile span { color: var(--soft); font-size: 13px; }
  .card { padding: 18px 20px; margin-bottom: 18px; overflow-x: auto; }
  .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 18px; }
  .pair .card { min-width: 0; }
  .lone img { max-width: 560px; }
  @media (max-width: 860px) { .pair { grid-template-columns: 1fr; }
                              .tiles { grid-template-columns: repeat(2, 1fr); } }
  .card img { display: block; width: 100%; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--line); }
  th { font-weight: 500; color: var(--soft); font-size: 13px; }
  th:first-child, td:first-child { text-align: left; padding-left: 0; }
  tr.group td { border: 0; padding-top: 14px; color: var(--soft); font-size: 13px; }
  tr.all td { font-weight: 650; }
  tr:last-child td { border-bottom: 0; }
  ol.script { list-style: none; margin: 12px 0 0; padding: 0; }
  ol.script li { display: flex; gap: 14px; padding: 4px 0; }
  ol.script time { color: var(--soft); min-width: 62px; font-variant-numeric: tabular-nums; }
  .kind { color: var(--soft); }
  .strip { display: flex; height: 22px; border-radius: 6px; overflow: hidden; margin-top: 12px; }
  .strip div { color: #fff; font-size: 12px; padding: 2px 8px; white-space: nowrap;
               overflow: hidden; }
  figure { margin: 0 0 20px; }
  figure img { border-radius: 8px; }
  figcaption { color: var(--soft); font-size: 13.5px; margin-top: 6px; }
  figure:last-child { margin-bottom: 0; }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ run.title }}</title>
<style>""" + STYLE + """</style>
{% macro figure(value, digits=1) %}
{{- '\N{EN DASH}' if value is none else ('%.' ~ digits ~ 'f') % value }}
{%- endmacro %}
<main>
  <h1>{{ run.title }}</h1>
  <div class="facts">
    {% for name, value in run.facts.items() %}
    <span>{{ name }} <b>{{ value }}</b></span>
    {% endfor %}
  </div>

  <div class="tiles">
    {% if scores %}
    <div class="tile"><b>{{ figure(metrics.hota) }}</b><span>HOTA</span></div>
    <div class="tile"><b>{{ figure(metrics.deta) }}</b><span>detection, DetA</span></div>
    <div class="tile"><b>{{ figure(metrics.assa) }}</b><span>association, AssA</span></div>
    <div class="tile"><b>{{ figure(metrics.idf1) }}</b><span>IDF1</span></div>
    {% endif %}
    <div class="tile"><b>{{ metrics.arrays_out }} / {{ metrics.pairs_in }}</b>
      <span>arrays out / pairs in</span></div>
    <div class="tile"><b>{{ figure(metrics.stamp_to_publish_ms_p99) }} ms</b>
      <span>stamp to publish, p99</span></div>
    <div class="tile"><b>{{ metrics.answers }}</b><span>answers of the model</span></div>
    <div class="tile"><b>{{ figure(metrics.answer_age_ms_p50, 0) }} ms</b>
      <span>age of newest answer, p50</span></div>
  </div>

  <div class="card">
    <h2>What was asked</h2>
    <ol class="script">
      {% for query in run.queries %}
      <li><time>{{ '%5.1f' % query.start_s }} s</time>
        <span>\N{LEFT DOUBLE QUOTATION MARK}{{ query.text }}\N{RIGHT DOUBLE QUOTATION MARK}
        {% if query.kind %}<span class="kind">{{ query.kind }}</span>{% endif %}</span></li>
      {% endfor %}
    </ol>
    {% if spans %}
    <div class="strip">
      {% for name, begin, end in spans %}
      <div style="flex: {{ end - begin }}; background: {{ colour(name) }}">{{ name }}</div>
      {% endfor %}
    </div>
    {% endif %}
  </div>

  {% if scores %}
  <div class="card">
    <h2>Scores</h2>
    <p>Percent, by TrackEval: one merged class, mean over 19 thresholds, pooled over sentences.
    A frame belongs to the sentence published last before it; no frame is left out.</p>
    <table>
      <tr><th></th><th>frames</th><th>HOTA</th><th>DetA</th><th>AssA</th><th>LocA</th><th>MOTA</th>
        <th>IDF1</th><th>switches</th><th>presence F1</th><th>absent FPR</th>
        <th>boxes meant</th><th>followed</th></tr>
      {% for group, rows in splits %}
      {% if group %}<tr class="group"><td colspan="13">{{ group }}</td></tr>{% endif %}
      {% for row in rows %}
      <tr{% if not group %} class="all"{% endif %}><td>{{ row.name }}</td><td>{{ row.frames }}</td>
        {% if row.scores.truth_boxes %}
        <td>{{ figure(row.scores.hota) }}</td><td>{{ figure(row.scores.deta) }}</td>
        <td>{{ figure(row.scores.assa) }}</td><td>{{ figure(row.scores.loca) }}</td>
        <td>{{ figure(row.scores.mota) }}</td><td>{{ figure(row.scores.idf1) }}</td>
        <td>{{ row.scores.idsw }}</td>
        {% else %}
        <td colspan="7" class="kind">nobody is meant: presence tells</td>
        {% endif %}
        <td>{{ figure(row.presence.f1) }}</td><td>{{ figure(row.presence.absent_fpr) }}</td>
        <td>{{ row.scores.truth_boxes }}</td><td>{{ row.scores.track_boxes }}</td></tr>
      {% endfor %}
      {% endfor %}
    </table>
  </div>
  {% endif %}

  <div class="card">
    <h2>Who was followed</h2>
    {% if scores %}
    <p>Each row is a true object: grey while the sentence means it, in colour where a published box
    lies on it (IoU 0.5 or more). Another colour is another identity. Rows below hold boxes on
    nothing that was meant. Dashed lines: a new sentence.</p>
    {% else %}
    <p>Each row is a published identity. Dashed lines: a new sentence.</p>
    {% endif %}
    {{ figures.identities }}
  </div>

  <div class="card">
    <h2>{{ 'How many were meant, how many followed' if scores else 'How many were followed' }}</h2>
    {{ figures.presence }}
  </div>

  <div class="{{ 'pair' if scores else 'lone' }}">
    {% if scores %}
    <div class="card"><h2>HOTA over thresholds</h2>{{ figures.hota }}</div>
    {% endif %}
    <div class="card"><h2>From image to array</h2>{{ figures.latency }}</div>
  </div>

  <div class="card">
    <h2>Age of what the model said</h2>
    <p>Tracks run at camera rate; the model answers when it can. This is how old its newest applied
    answer was.</p>
    {{ figures.age }}
  </div>

  {% if pictures %}
  <div class="card">
    <h2>Pictures</h2>
    <p>The middle frame of every combination of sentence and condition, chosen by time alone.
    {% if scores %}White corners: truth.{% endif %}</p>
    {% for source, caption in pictures %}
    <figure><img alt="{{ caption }}" src="{{ source }}">
      <figcaption>{{ caption }}</figcaption></figure>
    {% endfor %}
  </div>
  {% endif %}
</main>
</html>
"""
