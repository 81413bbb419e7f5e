"""The page's frame and style: one column, as wide as the screen allows, in the reader's colours, fit for paper."""

TEMPLATE = """\
{% macro value(cell) %}
{% if cell.number is none %}{{ cell.text }}{% else %}<data value="{{ cell.number }}">{{ cell.text }}</data>{% endif %}
{% endmacro %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ page.title }}</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --card: #f4f6f9; --line: #d9dfe7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa6b5; --paper: #14181f; --card: #1e242d; --line: #333c48; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 58rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); font-size: 1.25rem; }
p { margin: .75rem 0; max-width: 44rem; }
.lead { color: var(--soft); }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
.headlines div { padding: .75rem 1rem; border-radius: .6rem; background: var(--card); }
.headlines dt { color: var(--soft); font-size: .85rem; }
.headlines dd { margin: 0; font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
figure { margin: 1.25rem 0; }
figure img { display: block; max-width: 100%; height: auto; padding: .5rem; border: 1px solid var(--line);
  border-radius: .6rem; background: #fff; }
figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; }
figcaption { margin-top: .4rem; }
caption { padding-bottom: .4rem; }
.table { margin: 1.25rem 0; overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top;
  overflow-wrap: normal; }
th { font-weight: 600; }
th:first-child { padding-right: 1.4rem; text-align: left; }
tbody th { font-weight: 400; }
.facts td { text-align: left; overflow-wrap: anywhere; }
.words { text-align: left; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .headlines div { border: 1px solid var(--line); }
  .table { overflow: visible; }
  table { font-size: 8.5pt; }
  figure, tr, .headlines { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  figure img { max-height: 20cm; padding: 0; border: 0; }
}
</style>
</head>
<body>
<header>
<h1>{{ page.title }}</h1>
{% if page.lead %}
<p class="lead">{{ page.lead }}</p>
{% endif %}
{% if page.headlines %}
<dl class="headlines">
{% for name, cell in page.headlines %}
<div><dt>{{ name }}</dt><dd>{{ value(cell) }}</dd></div>
{% endfor %}
</dl>
{% endif %}
</header>
<main>
{% for section in page.sections if section.blocks %}
<section>
<h2>{{ section.title }}</h2>
{% for block in section.blocks %}
{% if block.kind == "words" %}
<p>{{ block.text }}</p>
{% elif block.kind == "picture" %}
<figure>
<img src="{{ block.source }}" alt="{{ block.title }}">
<figcaption>Figure {{ block.number }}. {{ block.caption }}</figcaption>
</figure>
{% else %}
<div class="table" tabindex="0">
<table{% if not block.columns %} class="facts"{% endif %}>
<caption>{{ block.caption }}</caption>
{% if block.columns %}
<thead><tr>{% for name in block.columns %}
<th scope="col"{% if block.of_words[loop.index0] %} class="words"{% endif %}>{{ name }}</th>
{%- endfor %}</tr></thead>
{% endif %}
<tbody>
{% for row in block.rows %}
<tr>{% for cell in row %}{% if loop.first %}<th scope="row">{{ value(cell) }}</th>
{%- else %}<td{% if block.of_words[loop.index0] %} class="words"{% endif %}>{{ value(cell) }}</td>{% endif %}{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% endfor %}
</section>
{% endfor %}
</main>
</body>
</html>
"""
