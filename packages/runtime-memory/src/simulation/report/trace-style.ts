/** How the page of a trace looks: light or dark as the reader likes, a list instead of columns where it is narrow. */
export const STYLE = `
:root { color-scheme: light; --page: #fff; --soft: #f3f4f6; --ink: #1b1f24; --dim: #57606a; --line: #d0d7de; --flow: #0a5cc2; --bad: #b3261e; --bad-soft: #fdecea; --chosen: #dbeafe; }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --page: #12161b; --soft: #1c222a; --ink: #e8ecf1; --dim: #a3adb8; --line: #3b444f; --flow: #7cb5ff; --bad: #ff9b91; --bad-soft: #3a1d1b; --chosen: #1d3557; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; display: flex; flex-direction: column; gap: .75rem; height: 100vh; min-height: 36rem; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.4rem; }
h1.bad { color: var(--bad); }
h2 { margin: 0 0 .5rem; font-size: 1.05rem; }
p { margin: .25rem 0; }
header { max-height: 40vh; overflow: auto; flex: none; }
.place, .message { max-width: 80ch; }
.deviations { margin: .25rem 0; padding-left: 1.5rem; max-width: 110ch; }
summary { cursor: pointer; }
pre { margin: .5rem 0; padding: .5rem; background: var(--soft); white-space: pre-wrap; font-size: .8rem; }
code, .mono, dd { font-family: ui-monospace, monospace; font-size: .86rem; }
#controls { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; flex: none; }
#controls [role=group] { display: flex; flex-wrap: wrap; gap: .35rem; }
#controls p { margin: 0; color: var(--dim); }
#chosen { flex-basis: 100%; }
#choice { margin-top: .35rem; }
button, input[type=search] { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--dim); border-radius: .35rem; padding: .25rem .6rem; min-height: 2rem; }
button { cursor: pointer; }
button:disabled { cursor: default; opacity: .5; }
button[aria-pressed=true] { background: var(--flow); border-color: var(--flow); color: var(--page); }
input[type=search] { width: 14rem; max-width: 100%; }
:focus-visible { outline: 3px solid var(--flow); outline-offset: 1px; }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1rem; }
#trace { overflow: auto; scroll-padding-left: 9.5rem; border: 1px solid var(--line); border-radius: .35rem; }
#trace p { padding: 1rem; }
#lanes, .step { display: grid; grid-template-columns: 3.9rem 5.6rem minmax(calc(var(--count) * max(4.8rem, var(--longest) * .62rem + .7rem)), 1fr); min-width: min-content; }
#lanes { position: sticky; top: 0; z-index: 1; background: var(--soft); border-bottom: 1px solid var(--line); font-weight: 600; font-size: .85rem; align-items: end; }
.columns { display: grid; grid-template-columns: repeat(var(--count), minmax(0, 1fr)); }
#lanes .columns span { margin: .35rem .25rem; text-align: center; max-height: 7.3em; overflow: hidden; overflow-wrap: break-word; }
#steps { list-style: none; margin: 0; padding: 0; width: 100%; min-width: min-content; }
.step { padding: .1rem 0; border-left: 4px solid transparent; cursor: pointer; content-visibility: auto; contain-intrinsic-size: auto 2.5rem; }
.step .columns { align-content: center; row-gap: .1rem; padding-block: .15rem; background: repeating-linear-gradient(90deg, transparent 0 calc(50% / var(--count)), var(--line) calc(50% / var(--count)) calc(50% / var(--count) + 1px), transparent calc(50% / var(--count) + 1px) calc(100% / var(--count))); }
.number, .after { padding: .3rem .4rem; text-align: right; color: var(--dim); font-variant-numeric: tabular-nums; font-size: .85rem; align-self: center; white-space: nowrap; }
.number { position: sticky; left: 0; }
#steps .number { z-index: 1; background: var(--page); align-self: stretch; align-content: center; }
#steps [aria-selected=true] .number { background: var(--chosen); }
#steps .bad:not([aria-selected=true]) .number { background: var(--bad-soft); }
#lanes .number { z-index: 1; background: var(--soft); align-self: stretch; align-content: end; }
#lanes .after { align-self: end; }
.line { grid-column: 1 / -1; display: flex; min-width: 0; }
.before { flex: 0 1 auto; }
.label { position: sticky; left: 3.9rem; right: 0; flex: none; max-width: 100%; font-size: .85rem; padding-inline: .5rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.label > span { background: var(--page); }
.step[aria-selected=true] .label > span { background: var(--chosen); }
.bad .label > span { background: var(--bad-soft); }
.path { display: none; }
.arrow { height: .6rem; position: relative; color: var(--flow); }
.arrow::before { content: ''; position: absolute; inset: 50% 0 auto; border-top: 2px solid; }
.arrow::after { content: ''; position: absolute; top: calc(50% - .25rem + 1px); right: 0; border: .25rem solid transparent; border-left: .5rem solid; border-right: 0; }
.arrow.left::after { right: auto; left: 0; border: .25rem solid transparent; border-right: .5rem solid; border-left: 0; }
.arrow.self { width: .6rem; justify-self: center; border-radius: 50%; background: currentColor; }
.arrow.self::before, .arrow.self::after { content: none; }
.deviates .arrow { color: var(--bad); }
.deviates .arrow::before { border-top-style: dashed; }
.step.deviates, .step.bad { border-left-color: var(--bad); }
.step.bad { background: var(--bad-soft); box-shadow: inset 0 0 0 2px var(--bad); }
.step[aria-selected=true] { background: var(--chosen); box-shadow: inset 0 0 0 2px var(--flow); }
.step[hidden] { display: none; }
.mark { color: var(--bad); font-weight: 600; }
#panel { overflow: auto; border: 1px solid var(--line); border-radius: .35rem; padding: .75rem; background: var(--soft); }
dl { margin: 0; }
dt { color: var(--dim); font-size: .85rem; }
dd { margin: 0 0 .5rem; white-space: pre-wrap; }
@media (max-width: 760px) {
  body { height: auto; min-height: 0; padding: .6rem; }
  header { max-height: none; }
  main { display: block; }
  #lanes { display: none; }
  #trace { max-height: 60vh; }
  #steps, .step { min-width: 0; }
  .step { grid-template-columns: 3.6rem 5rem minmax(0, 1fr); contain-intrinsic-size: auto 3.5rem; }
  .step .columns { display: block; background: none; }
  .line, .before { display: contents; }
  .label { position: static; white-space: normal; max-height: 9rem; }
  .path { display: block; color: var(--dim); }
  .arrow { display: none; }
  #panel { margin-top: .6rem; }
  label:has(#text), #text { width: 100%; }
}
@media (prefers-reduced-motion: no-preference) { .step { transition: background-color .1s; } }
`
