import { number } from './format.mjs';

const WIDTH = 720;
const PADDING = 24;
const LABEL_WIDTH = 272;
const VALUE_WIDTH = 76;
const BAR = 20;
const STEP = 32;

/** The plot brings its own background, so that it is readable wherever it is shown, in light and dark. */
const STYLE = `
    .card { fill: #ffffff; stroke: #d0d7de }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
    .title { font-size: 15px; font-weight: 600 }
    .quiet { fill: #59636e; font-size: 12px }
    .own { font-weight: 600 }
    .other { fill: #9aa4af; stroke: #9aa4af }
    .ours { fill: #d6336c; stroke: #d6336c }
    .bar { stroke: none }
    .spread, .axis { stroke: #59636e; fill: none }
    .grid { stroke: #d0d7de; fill: none }
    .line { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .card { fill: #0d1117; stroke: #30363d }
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
      .other { fill: #656c76; stroke: #656c76 }
      .ours { fill: #f06595; stroke: #f06595 }
      .spread, .axis { stroke: #c9d1d9 }
      .grid { stroke: #30363d }
    }`;

/** An SVG of a figure's plot: `bars` with quartiles, or `lines` on logarithmic axes. */
export function draw(plot) {
  return plot.kind === 'bars' ? drawBars(plot) : drawLines(plot);
}

function drawBars({ title, subtitle, unit, bars }) {
  const top = PADDING + (subtitle ? 44 : 28);
  const groups = groupBy(bars);
  const largest = Math.max(...bars.map(({ median, q3 }) => Math.max(median, q3)), Number.MIN_VALUE);
  const left = PADDING + LABEL_WIDTH;
  const scale = (WIDTH - left - VALUE_WIDTH - PADDING) / largest;
  const parts = [];
  let y = top;
  for (const [group, members] of groups) {
    if (group) {
      parts.push(text(PADDING, y + 12, group, 'quiet'));
      y += 22;
    }
    for (const { label, median, q1, q3, ours } of members) {
      const middle = y + BAR / 2;
      const kind = ours ? 'ours' : 'other';
      parts.push(
        text(left - 10, middle + 4, label, ours ? 'own' : '', 'end'),
        `<rect class="bar ${kind}" x="${left}" y="${y}" width="${round(Math.max(median * scale, 1))}" height="${BAR}" rx="2"/>`,
        `<path class="spread" d="M${round(left + q1 * scale)} ${middle}H${round(left + q3 * scale)}"/>`,
        text(
          left + Math.max(median, q3) * scale + 8,
          middle + 4,
          `${number(median)} ${unit}`.trim(),
          ours ? 'own' : '',
        ),
      );
      y += STEP;
    }
    y += 8;
  }
  return frame(title, subtitle, y + PADDING - 16, parts);
}

function drawLines({ title, subtitle, unit, lines }) {
  const [left, right, top, bottom] = [PADDING + 56, WIDTH - PADDING - 170, PADDING + (subtitle ? 48 : 36), 300];
  const points = lines.flatMap((line) => line.points);
  const x = logScale(
    points.map((point) => point.x),
    left,
    right,
  );
  const y = logScale(
    points.map((point) => point.y),
    bottom,
    top,
  );
  const parts = [];
  for (const tick of y.ticks) {
    parts.push(
      `<path class="grid" d="M${left} ${round(y.at(tick))}H${right}"/>`,
      text(left - 8, y.at(tick) + 4, `${tick.toLocaleString('en-US')} ${unit}`, 'quiet', 'end'),
    );
  }
  for (const tick of x.ticks)
    parts.push(text(x.at(tick), bottom + 20, tick.toLocaleString('en-US'), 'quiet', 'middle'));
  // Lines may end in the same place: labels keep a distance, in the order of the ends.
  const ends = lines.map((line) => ({ line, at: y.at(line.points.at(-1).y) })).toSorted((a, b) => a.at - b.at);
  ends.forEach((end, index) => {
    if (index > 0) end.at = Math.max(end.at, ends[index - 1].at + 18);
  });
  for (const { line, at } of ends) {
    const kind = line.ours ? 'ours' : 'other';
    const path = line.points.map((point) => `${round(x.at(point.x))} ${round(y.at(point.y))}`).join('L');
    parts.push(
      `<path class="line ${kind}" style="fill:none" d="M${path}"/>`,
      ...line.points.map(
        (point) => `<circle class="${kind}" cx="${round(x.at(point.x))}" cy="${round(y.at(point.y))}" r="3"/>`,
      ),
      text(right + 10, at + 4, line.label, line.ours ? 'own' : ''),
    );
  }
  return frame(title, subtitle, bottom + 44, parts);
}

function frame(title, subtitle, height, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">
  <style>${STYLE}
  </style>
  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  ${text(PADDING, PADDING + 8, title, 'title')}
  ${subtitle ? text(PADDING, PADDING + 28, subtitle, 'quiet') : ''}
  ${parts.join('\n  ')}
</svg>
`;
}

function text(x, y, content, style = '', anchor = 'start') {
  return `<text x="${round(x)}" y="${round(y)}" class="${style}" text-anchor="${anchor}">${escape(content)}</text>`;
}

/** Powers of ten around the values. */
function logScale(values, from, to) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

function groupBy(bars) {
  const groups = new Map();
  for (const bar of bars) groups.set(bar.group, [...(groups.get(bar.group) ?? []), bar]);
  return groups;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escape(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
