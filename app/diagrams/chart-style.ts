/** The look of a chart, in light and dark. */

/** Light, dark. A page may set the same custom properties to colours of its own. */
const colours = {
  ground: ['#ffffff', '#0d1117'],
  card: ['#f6f8fa', '#161b22'],
  line: ['#c3cad3', '#3d444d'],
  ink: ['#1f2328', '#f0f3f6'],
  mute: ['#59636e', '#9aa4af'],
  flow: ['#6b7f99', '#6d809a'],
  target: ['#0550ae', '#79c0ff'],
  active: ['#0969da', '#4493f8'],
  'active-ground': ['#ddf4ff', '#12263f'],
  taken: ['#bc4c00', '#f0883e'],
  'taken-ground': ['#fff1e5', '#3b2314'],
} as const;

const declared = (of: (light: string, dark: string) => string) =>
  Object.entries(colours)
    .map(([name, [light, dark]]) => `--chart-${name}:${of(light, dark)}`)
    .join(';');

/**
 * The style sheet of every chart. Its colours are custom properties (`--chart-ink` and so on) on
 * `svg.chart`, declared without specificity. As an image or a file a chart follows the reader's
 * scheme; inside a page it follows the `color-scheme` of that page.
 */
export const chartStyle = `
:where(svg.chart){${declared((light) => light)}}
@media (prefers-color-scheme:dark){:where(svg.chart){${declared((_, dark) => dark)}}}
svg.chart:root{color-scheme:light dark}
@supports (color:light-dark(red,red)){:where(svg.chart){${declared((light, dark) => `light-dark(${light},${dark})`)}}}
.chart{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.chart text{fill:var(--chart-mute);white-space:pre}
.chart .name{font:600 13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--chart-ink)}
.chart .title{font:700 16px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--chart-ink)}
.chart .words{font:11px system-ui,-apple-system,"Segoe UI",sans-serif}
.chart .ground{fill:var(--chart-ground)}
.chart .state>rect{fill:var(--chart-card);stroke:var(--chart-line)}
.chart .state.parent>rect{fill:var(--chart-ground)}
.chart .state .inner{fill:none}
.chart .state .region{stroke:var(--chart-line);stroke-dasharray:5 4;fill:none}
.chart .initial path{stroke:var(--chart-flow);stroke-width:1.2;fill:none}
.chart .initial circle{fill:var(--chart-flow)}
.chart .clock{fill:var(--chart-active);font-weight:600;text-anchor:end}
.chart .fact{fill:var(--chart-mute);font-style:italic}
.chart .event{fill:var(--chart-ink)}
.chart .target{fill:var(--chart-target)}
.chart .row{fill:transparent}
.chart .transition path{fill:none;stroke:var(--chart-flow);stroke-width:1}
.chart .transition .head,.chart .initial .head{fill:var(--chart-flow);stroke:none}
.chart .state.active>rect{stroke:var(--chart-active);stroke-width:2}
.chart .state.active:not(.parent)>rect{fill:var(--chart-active-ground)}
.chart .state.active .name{fill:var(--chart-active)}
.chart .transition.taken path{stroke:var(--chart-taken);stroke-width:3}
.chart .transition.taken .head{fill:var(--chart-taken);stroke-width:1}
.chart .transition.taken .row{fill:var(--chart-taken-ground)}
.chart .transition.taken text *{fill:var(--chart-taken)}
.chart .transition:hover path{stroke:var(--chart-target);stroke-width:2.2}
.chart .transition:hover .head{fill:var(--chart-target);stroke-width:1}
.chart .transition:hover .row{fill:var(--chart-active-ground)}
`.trim();
