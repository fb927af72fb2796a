/** A getter, or the trap of a proxy, that throws. */
export function boom(): never {
  throw new Error('a getter was called');
}

/** The error, as its own cause. */
export function cyclic(error: Error): Error {
  error.cause = error;
  return error;
}

/** An error that is one of its own errors. */
export function cyclicAggregate(): AggregateError {
  const aggregate = new AggregateError([]);
  aggregate.errors.push(aggregate);
  return aggregate;
}

/** An error of which nothing can be read. */
export function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
  revoke();
  return proxy;
}
