/**
 * Runs every subject once a round, forwards and backwards in turn (A B, B A, …), so that neither drift of the machine nor
 * the place in the order favours one. Every second round another subject begins: the one at the turn runs twice in a row,
 * and the second time finds the caches of the processor warm. A first round warms the disk cache and is not counted.
 *
 * @param run what measures one subject, once; its answer is an object of numbers
 * @returns by subject, by figure, the values in order of rounds
 */
export async function alternate(subjects, rounds, run) {
  const results = Object.fromEntries(Object.keys(subjects).map((name) => [name, {}]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, subject] of inOrder(Object.entries(subjects), round)) {
      const values = await run(subject, name);
      if (round < 0) continue;
      for (const [key, value] of Object.entries(values)) (results[name][key] ??= []).push(value);
    }
  }
  return results;
}

function inOrder(entries, round) {
  const first = Math.max(0, Math.floor(round / 2)) % entries.length;
  const order = [...entries.slice(first), ...entries.slice(0, first)];
  return round % 2 ? order.toReversed() : order;
}
