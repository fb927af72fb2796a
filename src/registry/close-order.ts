/** What can be built on others of its kind. */
export interface Dependent<D> {
  readonly dependencies: ReadonlySet<D>;
}

/**
 * Closes dependents before what they are built on, and independent ones in parallel.
 *
 * @param close must not reject: one that fails must not keep the others open
 */
export async function closeInOrder<D extends Dependent<D>>(
  all: Iterable<D>,
  close: (item: D) => Promise<void>,
): Promise<void> {
  const dependents = new Map<D, D[]>();
  for (const item of all) dependents.set(item, []);
  for (const item of dependents.keys()) {
    for (const dependency of item.dependencies) dependents.get(dependency)?.push(item);
  }

  const closing = new Map<D, Promise<void>>();
  const closeAfterDependents = (item: D, path: ReadonlySet<D>): Promise<void> => {
    const known = closing.get(item);
    if (known) return known;
    // Were there a cycle after all, closing in some order would beat waiting for ever.
    const before = (dependents.get(item) ?? []).filter((dependent) => !path.has(dependent));
    const through = new Set(path).add(item);
    const promise = Promise.all(before.map((dependent) => closeAfterDependents(dependent, through))).then(() =>
      close(item),
    );
    closing.set(item, promise);
    return promise;
  };
  await Promise.all([...dependents.keys()].map((item) => closeAfterDependents(item, new Set())));
}
