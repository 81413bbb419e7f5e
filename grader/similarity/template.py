"""The pages' frame and style: an index of pairs, and two documents side by side. No script, nothing from elsewhere."""

STYLE = """\
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --card: #f4f6f9; --line: #d9dfe7;
  --link: #1f5fbf; --h0: #fde9a9; --h1: #c9e8fb; --h2: #d5f0cd; --h3: #f8d3dd; --h4: #e2d8f8; --h5: #fadcc0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa6b5; --paper: #14181f; --card: #1e242d; --line: #333c48; --link: #8ab8ff;
    --h0: #4d4013; --h1: #14405c; --h2: #1f4a22; --h3: #5a2434; --h4: #3d2f63; --h5: #573517; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { margin: 0 0 .25rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
p { margin: .5rem 0; max-width: 52rem; }
.soft { color: var(--soft); }
.note { padding: .75rem 1rem; border-left: .25rem solid var(--h0); background: var(--card); max-width: 56rem; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; }
.n { text-align: right; }
.bar { display: inline-block; width: 6rem; height: .55rem; margin-right: .5rem; border-radius: .3rem; background: var(--card);
  vertical-align: middle; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--link); }
"""


def _page(title: str, style: str, body: str) -> str:
    """A page's template: its title, what is beyond the common style, and what is in it."""
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{STYLE}{style}</style>
</head>
<body>
{body}</body>
</html>
"""


INDEX = _page(
    "{{ title }}: submissions that are alike",
    """\
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; }
p, .note { max-width: none; }
table { width: 100%; }
th, td { overflow-wrap: break-word; }
.pair { min-width: 9rem; font-weight: 400; overflow-wrap: anywhere; }
.side { width: 14rem; }
.side b { display: inline-block; min-width: 2.8rem; font-weight: 600; text-align: right; }
.side small { display: block; color: var(--soft); font-size: .88em; }
.files { width: 15rem; overflow-wrap: anywhere; }
@media (max-width: 46rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; width: auto; }
  tr { padding: .8rem 0; border-bottom: 1px solid var(--line); }
  th, td { padding: .1rem 0; border: 0; }
  .pair { font-size: 1.05rem; font-weight: 600; }
  td, .side, .files { display: grid; width: auto; grid-template-columns: 10rem 1fr; gap: 0 .75rem; }
  td::before { content: attr(data-label); color: var(--soft); }
  .side b { min-width: 0; }
}
""",
    """\
<h1>{{ title }}: submissions that are alike</h1>
<p class="soft">{{ lead }}</p>
<p class="note">{{ warning }}</p>
<h2>Pairs</h2>
{% if rows %}
<table>
<thead><tr><th scope="col">pair</th><th scope="col">the second has of the first’s own code</th>
<th scope="col">the first has of the second’s own code</th><th scope="col">files most alike</th></tr></thead>
<tbody>
{% for row in rows %}
<tr><th class="pair" scope="row">{% if row.page %}<a href="{{ row.page }}">{{ row.names[0] }} – {{ row.names[1] }}</a>{% else %}
{{- row.names[0] }} – {{ row.names[1] }}{% endif %}</th>
{% for side in row.sides %}
<td class="side" data-label="of the {{ 'first' if loop.first else 'second' }}’s code"><div>
{{- '' }}<span class="bar"><i style="width: {{ side.percent }}%"></i></span><b>{{ side.percent }}%</b>
<small>{{ side.lines }} of {{ side.own_lines }} lines</small></div></td>
{% endfor %}
<td class="files" data-label="files most alike"><div>
{%- for file, part in row.files %}{{ file }}&nbsp;{{ part }}{{ ", " if not loop.last }}{% else %}all: identical{% endfor %}
{{- '' }}</div></td></tr>
{% endfor %}
</tbody></table>
{% else %}
<p>None.</p>
{% endif %}
{% if more %}
<p class="soft">{{ more }}</p>
{% endif %}
{% if groups %}
<h2>Groups of more than two, connected by pairs</h2>
<ul>{% for group in groups %}<li>{{ group }}</li>{% endfor %}</ul>
{% endif %}
{% if notes %}
<h2>What was not, or not wholly, compared</h2>
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
{% endif %}
<h2>How it was compared</h2>
{% for words in method %}
<p>{{ words }}</p>
{% endfor %}
""",
)

PAIR = _page(
    "{{ names[0] }} – {{ names[1] }}",
    """\
body { display: flex; flex-direction: column; height: 100vh; }
header { padding: .75rem 1rem .5rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.2rem; }
header p { margin: .15rem 0; max-width: none; font-size: .9rem; }
.jump { max-height: 4.6rem; overflow-y: auto; line-height: 1.75; }
.jump span { display: inline-block; margin-right: .35rem; padding: 0 .5rem; border-radius: .3rem; font-size: .82rem; }
.jump a { color: inherit; }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: 1fr 1fr; }
section { overflow: auto; min-width: 0; padding-bottom: 40vh; border-right: 1px solid var(--line); }
section > h2, .file { position: sticky; top: 0; margin: 0; padding: .35rem .75rem; background: var(--card); font-size: .9rem;
  border-bottom: 1px solid var(--line); z-index: 1; }
pre { margin: 0; font: .8rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.l { display: grid; grid-template-columns: 3.2rem 1fr; padding-right: .5rem; white-space: pre-wrap; scroll-margin-top: 6rem; }
.l > span { padding-right: .75rem; text-align: right; color: var(--soft); user-select: none; }
.l > a { color: inherit; }
.l > b { font-weight: inherit; }
.g { color: var(--soft); }
.h0 { background: var(--h0); } .h1 { background: var(--h1); } .h2 { background: var(--h2); }
.h3 { background: var(--h3); } .h4 { background: var(--h4); } .h5 { background: var(--h5); }
.l:target { outline: 2px solid var(--link); outline-offset: -2px; }
@media (max-width: 50rem) { main { grid-template-columns: 1fr; } section { max-height: 50vh; } }
@media print { body { height: auto; } section { overflow: visible; } .jump { max-height: none; } }
""",
    """\
<header>
<p><a href="../index.html">← all pairs</a></p>
<h1>{{ names[0] }} – {{ names[1] }}</h1>
<p>{{ summary }} <span class="soft">{{ warning }}</span></p>
<p class="jump">{% for match in matches %}<span class="h{{ match.colour }}" title="{{ match.title }}">
{{- '' }}<a href="#L{{ match.number }}">{{ match.left }}</a> =
{{- ' ' }}<a href="#R{{ match.number }}">{{ match.right }}</a></span>{% endfor %}</p>
</header>
<main>
{% for side in sides %}
<section tabindex="0" aria-label="{{ side.name }}">
{% for file in side.files %}
<div class="file">{{ side.name }} · {{ file.name }} <span class="soft">{{ file.remark }}</span></div>
<pre>{% for line in file.lines %}<div class="l{{ line.style }}"{% if line.anchors %} id="{{ line.anchors[0] }}"{% endif %}>
{{- '' }}<span>{% for anchor in line.anchors[1:] %}<i id="{{ anchor }}"></i>{% endfor %}{{ line.number }}</span>
{%- if line.link %}<a href="#{{ line.link }}" title="passage {{ line.link[1:] }}">{{ line.text }}</a>
{%- else %}<b>{{ line.text }}</b>{% endif %}</div>{% endfor %}</pre>
{% endfor %}
</section>
{% endfor %}
</main>
""",
)
