/** What all pages have in common. A page puts its own rules after these. */

/** light, dark */
export type Palette = Readonly<Record<string, readonly [light: string, dark: string]>>;

const k_palette: Palette = {
  ink: ['#191d21', '#e7eaed'],
  soft: ['#5a646d', '#a3adb6'],
  ground: ['#f7f8f8', '#121517'],
  card: ['#ffffff', '#1b2023'],
  line: ['#dbdfe2', '#343c42'],
  accent: ['#0b5cad', '#7db8f2'],
  // Okabe and Ito's blue and vermillion
  normal: ['#0072b2', '#56a8e0'],
  anomalous: ['#d55e00', '#f08a3c'],
  'anomalous-ink': ['#a84a00', '#f5a366'],
  wrong: ['#b3261e', '#ff9b91'],
  'wrong-ground': ['#fdf0ee', '#341f1d'],
  right: ['#1c6b43', '#7fd3a6'],
  warn: ['#8a5a00', '#f0b849'],
  'warn-ground': ['#fdf6e6', '#2e2717'],
};

/** Okabe and Ito's colours without black and with a darker yellow, safe for the colour-blind; light and dark ground. */
export const lineColours: readonly [light: string, dark: string][] = [
  ['#0072b2', '#56a8e0'],
  ['#d55e00', '#f08a3c'],
  ['#00805f', '#35c29b'],
  ['#b0508a', '#e08cc0'],
  ['#8a6d00', '#e6c437'],
  ['#3d8fc4', '#9bd0f5'],
  ['#6b4fb3', '#b39df0'],
];

/** Custom properties of these names; browsers without light-dark() get the light colours. */
export function colours(palette: Palette): string {
  const pairs = (pick: (light: string, dark: string) => string) =>
    Object.entries(palette)
      .map(([name, [light, dark]]) => `--${name}: ${pick(light, dark)};`)
      .join(' ');
  return `:root { ${pairs((light) => light)} }
@supports (color: light-dark(#000, #fff)) { :root { ${pairs((light, dark) => `light-dark(${light}, ${dark})`)} } }`;
}

export const baseStyle = `
:root { color-scheme: light dark; }
${colours(k_palette)}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 1.25rem 1.5rem 4rem; }
[hidden] { display: none !important; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .25rem 0 .75rem; overflow-wrap: anywhere; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line); }
p { max-width: 78ch; margin: .4rem 0; }
.skip { position: absolute; left: -99rem; z-index: 3; background: var(--card); padding: .5rem 1rem; }
.skip:focus { left: 1rem; top: .5rem; }
.warning, .warnings li { background: var(--warn-ground); border-left: .3rem solid var(--warn); border-radius: .25rem; padding: .3rem .8rem; margin: .4rem 0; max-width: 82ch; list-style: none; overflow-wrap: anywhere; }
.warnings { padding: 0; margin: .75rem 0; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .32rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { font-weight: 600; } thead th { vertical-align: bottom; font-size: .85rem; }
.charts { display: grid; gap: .9rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); }
figure { margin: 0; }
.charts figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem .9rem .4rem; break-inside: avoid; }
.charts figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .2rem; }
.legend img { display: block; max-width: 100%; background: #fff; border: 1px solid var(--line); border-radius: .25rem; }
.cards { list-style: none; padding: 0; margin: .4rem 0 1rem; display: grid; gap: .9rem; grid-template-columns: repeat(auto-fill, minmax(min(34rem, 100%), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .8rem; break-inside: avoid; min-width: 0; }
.stack { position: relative; } .stack img { display: block; width: 100%; height: auto; border-radius: .2rem; }
.outline { position: absolute; inset: 0; display: none !important; } #outlines:checked ~ .cards .outline { display: block !important; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.5rem; font-size: .9rem; } .facts dt { font-weight: 600; overflow-wrap: anywhere; max-width: 16rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { main { padding: 1rem .9rem 3rem; } .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: .4rem; } }
@media print {
  :root { color-scheme: light; --ground: #fff; }
  @page { margin: 14mm; }
  html { font-size: 9pt; } main { max-width: none; padding: 0; }
  .skip { display: none !important; }
  thead { display: table-header-group; } tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  svg, img, .warning, .warnings li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
