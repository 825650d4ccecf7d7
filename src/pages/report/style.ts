/** What the report has beyond the style of all pages. */
import { baseStyle, lineColours } from '../style.js';
import { lineDashes } from './series.js';

const looks = lineDashes
  .flatMap((dash, row) =>
    lineColours.map(([light, dark], column) => {
      const at = row * lineColours.length + column;
      return `.line.s${at} { stroke: ${light}; stroke: light-dark(${light}, ${dark}); stroke-dasharray: ${dash}; }`;
    }),
  )
  .join('\n');

export const styleSheet = `${baseStyle}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
:root:not(.has-script) .scripted { display: none; }
:root.has-script .key { display: none; }
html { scroll-padding-top: 4rem; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .4rem; overflow-wrap: anywhere; }
h3 small { font-weight: 400; color: var(--soft); }
.lead { overflow-wrap: anywhere; }
.top { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; padding: .45rem 1.5rem; background: var(--card); border-bottom: 1px solid var(--line); }
.top nav { display: flex; flex-wrap: wrap; gap: .1rem .25rem; flex: 1; }
.top nav a { text-decoration: none; color: var(--ink); padding: .2rem .6rem; border-radius: .35rem; font-size: .92rem; }
.top nav a:hover { background: var(--ground); }
button, select, input[type="number"] { font: inherit; font-size: .9rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .25rem .7rem; }
button { cursor: pointer; } button:hover { border-color: var(--accent); }
select { max-width: min(26rem, 100%); } label { max-width: 100%; }
.alarm { margin: 1rem 0; padding: .75rem 1.1rem; color: var(--ink); background: var(--wrong-ground); border: 1px solid var(--wrong); border-left-width: .4rem; border-radius: .4rem; }
.alarm h2 { margin: 0 0 .25rem; padding: 0; border: 0; color: var(--wrong); font-size: 1.15rem; }
.alarm h2::before { content: '⚠ '; }
.alarm ul { margin: .25rem 0; padding-left: 1.25rem; }
.alarm.small { padding: .35rem .8rem; margin: .4rem 0; }
.notes { color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; } .notes ul { margin: .2rem 0; padding-left: 1.2rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.1rem 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem 1rem; }
.tiles dt { font-size: .85rem; color: var(--soft); } .tiles dt b { color: var(--ink); }
.tiles dd { margin: 0; font-size: 1.85rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.tiles dd.what, .rates dd.what { font-size: .8rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding: .15rem 0 .35rem; }
th[scope="row"], thead tr:first-child th:first-child { text-align: left; overflow-wrap: anywhere; }
td small, th small { display: block; font-weight: 400; font-size: .76rem; color: var(--soft); white-space: nowrap; }
th small { white-space: normal; }
small.bad { margin-left: .4rem; }
.figures { background: var(--card); border: 1px solid var(--line); width: 100%; }
.figures caption { caption-side: top; }
.figures thead tr:first-child th { border-bottom: 0; text-align: center; padding-bottom: 0; color: var(--soft); }
.figures thead tr:first-child th:first-child, .figures thead tr:first-child th.count { text-align: left; vertical-align: bottom; color: var(--ink); padding-bottom: .32rem; border-bottom: 1px solid var(--line); }
.figures th[scope="col"] { max-width: 7.5rem; min-width: 4.2rem; }
.figures th[scope="row"] { min-width: 8rem; max-width: 18rem; }
.figures .begins { border-left: 1px solid var(--line); }
.figures .count { white-space: nowrap; color: var(--soft); }
.figures tbody tr:hover { background: var(--ground); }
.means { border-top: 2px solid var(--soft); } .means tr:first-child td, .means tr:first-child th { font-weight: 650; }
tr.paper td, tr.paper th { color: var(--soft); font-weight: 400; } 
td small.paper { color: var(--soft); font-style: italic; }
small.bad { color: var(--wrong); display: inline; white-space: nowrap; font-weight: 400; }
abbr { text-decoration: none; color: var(--soft); } sup { font-size: .7em; color: var(--soft); line-height: 0; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem 1.1rem; margin: .9rem 0; }
.controls { display: flex; flex-wrap: wrap; gap: .6rem 1.5rem; align-items: center; }
.presets { display: flex; flex-wrap: wrap; gap: .35rem; }
.histograms svg { display: block; width: 100%; height: auto; touch-action: pan-y; cursor: ew-resize; }
.slider { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1rem; padding: .15rem 0 .35rem; }
.slider input[type="range"] { flex: 1 1 14rem; min-width: 0; height: 1.75rem; accent-color: var(--accent); }
.slider input[type="number"] { width: 8.5rem; font-variant-numeric: tabular-nums; }
.said { font-weight: 600; overflow-wrap: anywhere; }
.outcome { display: flex; flex-wrap: wrap; gap: 1.25rem 2.5rem; align-items: start; margin-top: .6rem; }
.confusion td[data-out] { font-size: 1.35rem; font-weight: 650; min-width: 6rem; text-align: center; }
.confusion td.right { color: var(--right); } .confusion td.wrong { color: var(--wrong); }
.confusion td.right::after { content: ' ✓'; font-size: .8rem; } .confusion td.wrong::after { content: ' ✗'; font-size: .8rem; }
.confusion thead th { text-align: center; }
.rates { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .5rem 1.5rem; margin: 0; flex: 1; min-width: min(20rem, 100%); }
.rates dt { font-size: .85rem; color: var(--soft); } .rates dd { margin: 0; font-size: 1.5rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--accent); font-size: .92rem; padding: .15rem 0; width: fit-content; }
#per-class td:first-child, #per-class th:nth-child(2) { text-align: left; }
#per-class { background: var(--card); }
svg text { fill: var(--soft); font: 11.5px system-ui, sans-serif; } svg text.name { fill: var(--ink); font-size: 12.5px; }
svg .grid { stroke: var(--line); fill: none; } svg .axis { stroke: var(--soft); fill: none; }
svg .chance { stroke: var(--soft); stroke-dasharray: 1 4; stroke-linecap: round; fill: none; } svg path.limit { stroke: var(--soft); stroke-dasharray: 4 4; fill: none; }
svg .bars.normal { fill: var(--normal); } svg .bars.anomalous { fill: var(--anomalous); }
svg text.side { font-size: 12.5px; font-weight: 600; } svg text.side.normal { fill: var(--normal); } svg text.side.anomalous { fill: var(--anomalous-ink); }
svg .called { fill: var(--soft); opacity: .1; } svg .mark { stroke: var(--ink); stroke-width: 2; fill: none; }
.toggles { border: 1px solid var(--line); border-radius: .5rem; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; align-items: center; margin: .6rem 0; padding: .35rem .9rem .6rem; background: var(--card); }
.toggles legend { font-size: .85rem; color: var(--soft); padding: 0 .4rem; }
.toggles label { display: inline-flex; gap: .4rem; align-items: center; font-size: .9rem; overflow-wrap: anywhere; padding: .05rem 0; }
.toggles button { padding: .1rem .6rem; font-size: .85rem; }
.key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; font-size: .88rem; margin: .4rem 0; } .key li { overflow-wrap: anywhere; }
.sample { width: 1.75rem; height: .5rem; flex: none; display: inline-block; vertical-align: middle; }
.charts svg.chart { display: block; width: 100%; height: auto; }
.charts details { margin: .1rem 0 .2rem; } .charts table { font-size: .8rem; } .charts th, .charts td { padding: .15rem .4rem; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: butt; }
.line.mean { stroke: var(--ink); stroke-width: 3; } .line.pooled { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 3 3; }
.line.off { display: none; } .pointing .chart .line { opacity: .15; } .pointing .chart .line.pointed { opacity: 1; stroke-width: 3; }
.dot { fill: var(--card); stroke: var(--ink); stroke-width: 2.5; }
${looks}
.card[data-verdict="wrong"] { border-color: var(--wrong); }
.head { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; font-size: .88rem; margin-bottom: .45rem; }
.role { font-weight: 650; } .role.normal { color: var(--normal); } .role.anomalous { color: var(--anomalous-ink); }
.verdict { border-radius: 1rem; padding: 0 .6rem; border: 1px solid currentColor; font-size: .82rem; }
[data-verdict="wrong"] .verdict { color: var(--wrong); } [data-verdict="wrong"] .verdict::before { content: '✗ '; }
[data-verdict="right"] .verdict { color: var(--right); } [data-verdict="right"] .verdict::before { content: '✓ '; }
.score { margin-left: auto; color: var(--soft); } .score b { color: var(--ink); font-variant-numeric: tabular-nums; }
.views { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .45rem; }
.views figcaption { font-size: .78rem; color: var(--soft); text-align: center; }
.path { font-size: .82rem; margin: .35rem 0 0; overflow-wrap: anywhere; } .path span { color: var(--soft); margin-left: .6rem; }
@media (max-width: 40rem) { .top { padding: .4rem .9rem; } }
@media print {
  :root[data-theme="dark"] { color-scheme: light; --ground: #fff; }
  .top, .presets, .slider, .scripted, #outlines, #outlines + label, .charts details { display: none !important; }
  :root.has-script .key { display: flex; }
  .scroll { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .2rem .35rem; } .figures { font-size: 6.8pt; } .figures th, .figures td { padding: .15rem .22rem; } td small, th small { font-size: 5.6pt; } .figures th[scope="col"] { min-width: 0; } .figures th[scope="row"] { min-width: 5rem; }
  .panel, .outcome, .tiles { break-inside: avoid; }
  .charts { grid-template-columns: repeat(3, 1fr); gap: .5rem; } .cards { grid-template-columns: 1fr 1fr; gap: .5rem; } .tiles { grid-template-columns: repeat(6, 1fr); } .tiles dd { font-size: 1.3rem; }
  .alarm { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
