/** Three significant digits at most, and never an exponent. */
export function number(value) {
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const count = (value) => Math.round(value).toLocaleString('en-US');
export const ms = (value) => `${number(value)} ms`;
export const ns = (value) => `${number(value)} ns`;
export const mb = (bytes) => `${number(bytes / 1e6)} MB`;
export const bytes = (value) => `${count(value)} B`;

/** Median and quartiles, in the unit of `format`. */
export function spread(summary, format = ratioOf) {
  return `${format(summary.median)} (${format(summary.q1)} … ${format(summary.q3)})`;
}

/** Ratios near one need a digit more than others. */
export function ratioOf(value) {
  return Math.abs(value - 1) < 0.1 ? value.toFixed(3) : number(value);
}

export function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, index) => (index ? '--:' : '---'))), ...rows.map(line)].join('\n');
}
