/**
 * Runs every subject once a round, forwards and backwards in turn (A B, B A, …), so that neither drift of the machine nor
 * the place in the order favours one. A first round warms the disk cache and is not counted.
 *
 * @param run what measures one subject, once; its answer is an object of numbers
 * @returns by subject, by figure, the values in order of rounds
 */
export async function alternate(subjects, rounds, run) {
  const results = Object.fromEntries(Object.keys(subjects).map((name) => [name, {}]));
  for (let round = -1; round < rounds; round++) {
    const order = Object.entries(subjects);
    if (round % 2) order.reverse();
    for (const [name, subject] of order) {
      const values = await run(subject, name);
      if (round < 0) continue;
      for (const [key, value] of Object.entries(values)) (results[name][key] ??= []).push(value);
    }
  }
  return results;
}
