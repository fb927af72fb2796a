/** What a service calls it when too many requests reach it. */
const THROTTLED =
  /^(Throttl\w*|RequestThrottled\w*|RequestLimitExceeded|TooManyRequests\w*|ProvisionedThroughputExceeded\w*|LimitExceededException|BandwidthLimitExceeded|EC2ThrottledException|PriorRequestNotComplete|SlowDown)$/;
/** What it calls it when these credentials, which it has accepted, may not do what they ask for. */
const FORBIDDEN =
  /^(AccessDenied(Exception)?|UnauthorizedOperation|NotAuthorized(Exception)?|AuthorizationError(Exception)?)$/;
/** What a compatible service calls it when it does not know the operation, or not all of what it is asked. */
const UNKNOWN =
  /^(UnknownOperation(Exception)?|UnsupportedOperation(Exception)?|InvalidAction|NotImplemented|ValidationException)$/;

/**
 * Whether a check that failed has been refused by a service that is there and has accepted the credentials: that one can be
 * used. Credentials that are not accepted, server errors and whatever happens on the way there do not count.
 */
export function hasAnswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  if (httpStatusCode === undefined) return false;
  return httpStatusCode === 429 || [THROTTLED, FORBIDDEN, UNKNOWN].some((names) => names.test(error.name));
}
