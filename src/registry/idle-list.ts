/** An entry of an `IdleList`. It is in at most one list at a time. */
export class IdleEntry {
  /** Its neighbours in the list; itself while it is in none. */
  before: IdleEntry = this;
  after: IdleEntry = this;
}

/**
 * A queue of idle entries, the one that has been idle for longest first.
 *
 * A linked list rather than a `Set`, because a `Set` keeps the slots of deleted entries until it is rehashed. A busy client is
 * added and deleted again and again, and finding the first entry would step over all those slots.
 */
export class IdleList<T extends IdleEntry> {
  readonly #ends = new IdleEntry();

  get first(): T | undefined {
    const { after } = this.#ends;
    return after === this.#ends ? undefined : (after as T);
  }

  /** Adds an entry, which must be in no list, at the end. */
  add(entry: T): void {
    const last = this.#ends.before;
    entry.before = last;
    entry.after = this.#ends;
    last.after = entry;
    this.#ends.before = entry;
  }

  /** Removes an entry. Does nothing if it is in no list. */
  delete(entry: T): void {
    entry.before.after = entry.after;
    entry.after.before = entry.before;
    entry.before = entry;
    entry.after = entry;
  }
}
