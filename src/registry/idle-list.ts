/** What can stand in an `IdleList`, once at a time. */
export class IdleEntry {
  /** Its neighbours: it is its own while it stands in no list. */
  before: IdleEntry = this;
  after: IdleEntry = this;
}

/**
 * Those that are idle, the one that has been so for longest first.
 *
 * Its entries are linked, since a `Set` keeps what was deleted until it grows: a busy client, which is added and deleted
 * again and again, would be searched for among all of its own deleted entries, at the longer the more others are idle.
 */
export class IdleList<T extends IdleEntry> {
  readonly #ends = new IdleEntry();

  get first(): T | undefined {
    const { after } = this.#ends;
    return after === this.#ends ? undefined : (after as T);
  }

  /** Puts the entry, which stands in no list, at the end. */
  add(entry: T): void {
    const last = this.#ends.before;
    entry.before = last;
    entry.after = this.#ends;
    last.after = entry;
    this.#ends.before = entry;
  }

  /** Takes the entry out. Nothing happens if it stands in no list. */
  delete(entry: T): void {
    entry.before.after = entry.after;
    entry.after.before = entry.before;
    entry.before = entry;
    entry.after = entry;
  }
}
