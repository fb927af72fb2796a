/** The value below which the share `q` of the values lies, interpolated. */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  return below + (sorted[Math.ceil(position)] - below) * (position % 1);
}

export const median = (values) => quantile(values, 0.5);

/** What the report shows of a series: median, quartiles, and how many runs. */
export function summarize(values) {
  return { median: median(values), q1: quantile(values, 0.25), q3: quantile(values, 0.75), runs: values.length };
}

/**
 * `ours` over `theirs`, run by run: both series come from alternating runs, so that whatever slows the machine down for
 * a while slows both members of a pair.
 */
export function ratio(ours, theirs) {
  return summarize(ours.map((value, run) => value / theirs[run]));
}

/** `ours` minus `theirs`, run by run. */
export function difference(ours, theirs) {
  return summarize(ours.map((value, run) => value - theirs[run]));
}
