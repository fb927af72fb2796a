/**
 * Closes dependents before what they are built on, and independent ones in parallel.
 *
 * @param dependenciesOf may tell others than `all`, which are left alone
 * @param close must not reject: one that fails must not keep the others open
 * @returns what `close` gave for each, in the order of `all`
 */
export async function closeInOrder<D, R>(
  all: readonly D[],
  dependenciesOf: (item: D) => Iterable<D>,
  close: (item: D) => Promise<R>,
): Promise<(R | undefined)[]> {
  const dependents = new Map<D, D[]>(all.map((item) => [item, []]));
  for (const item of all) {
    for (const dependency of dependenciesOf(item)) dependents.get(dependency)?.push(item);
  }

  const closing = new Map<D, Promise<R | undefined>>();
  const closeAfterDependents = (item: D): Promise<R | undefined> => {
    const known = closing.get(item);
    if (known) return known;
    // Were there a cycle after all, closing in some order would beat waiting for ever.
    closing.set(item, Promise.resolve(undefined));
    const before = (dependents.get(item) ?? []).map(closeAfterDependents);
    const promise = Promise.all(before).then(() => close(item));
    closing.set(item, promise);
    return promise;
  };
  return Promise.all(all.map(closeAfterDependents));
}
