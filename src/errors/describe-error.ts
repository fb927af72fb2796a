/** An aggregate can hold thousands of errors; nobody reads more than these. */
const MOST_MESSAGES = 10;

/** What an error says. Node leaves the message of an AggregateError empty: a refused connection is one. */
export function describeError(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return describeThrown(error);
  if (typeof error.message === 'string' && error.message !== '') return error.message;
  if (error instanceof AggregateError && Array.isArray(error.errors)) {
    const described = error.errors
      .slice(0, MOST_MESSAGES)
      .filter((inner) => inner instanceof Error && !(inner instanceof AggregateError))
      .map(describeError);
    const more = error.errors.length - MOST_MESSAGES;
    if (described.length > 0) return described.join('; ') + (more > 0 ? `; and ${more} more` : '');
  }
  if ('code' in error && typeof error.code === 'string') return error.code;
  const name: unknown = error.name; // may have been overwritten with anything
  return String(name);
}

function describeThrown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${String(value)} was thrown, which is no Error`;
  const message: unknown = Reflect.get(value, 'message');
  return typeof message === 'string' && message !== '' ? message : 'an object was thrown that is no Error';
}
