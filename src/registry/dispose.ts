import type { ClientDefinition } from '../definition/client-definition.js';
import { describeError } from '../errors/describe-error.js';
import type { Redactor } from '../redaction/redactor.js';
import type { Cancellation } from './cancellation.js';
import { within } from './deadline.js';
import type { Closing } from './holding.js';

type Disposables = AsyncDisposable & Disposable;

/** Milliseconds that destroying by force may take. ioredis needs 2,000 to give up on a frozen server. */
const DESTROY_TIMEOUT = 2_050;

/**
 * Closes a client gracefully within its `closeTimeout`, else by force. Never rejects.
 *
 * @param closing how much time is left for closing everything
 * @returns why it did not close gracefully, if so
 */
export async function dispose(
  { blueprint: { driver }, lifecycle }: ClientDefinition,
  instance: unknown,
  redactor: Redactor,
  closing: Closing,
): Promise<Error | undefined> {
  if (!lifecycle.owned) return undefined; // whoever made it closes it
  const attempt = async (
    name: string,
    longest: number,
    work: () => unknown,
    cancellation?: Cancellation,
  ): Promise<Error | undefined> => {
    const timeout = Math.min(longest, closing.remaining());
    const late = () => new Error(`${name} did not end within ${Math.round(timeout)} ms`);
    try {
      return await within({ timeout, late, ...(cancellation && { cancellation }) }, async () => void (await work()));
    } catch (error) {
      const cause = redactor.error(error);
      return new Error(`${name} failed: ${describeError(cause)}`, { cause });
    }
  };

  const destroy = () => attempt('destroy()', DESTROY_TIMEOUT, () => driver.destroy?.(instance));

  let isGraceful = true;
  const close = (): unknown => {
    if (driver.close) return driver.close(instance);
    const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: disposeNow } = instance as Partial<Disposables>;
    const disposal = asyncDispose ?? disposeNow;
    isGraceful = disposal !== undefined;
    return disposal?.call(instance);
  };
  // If the time is already up, close() is still called, but not waited for.
  const cancellation = closing.cutShort?.isCancelled ? undefined : closing.cutShort;
  const failure = await attempt('close()', lifecycle.closeTimeout, close, cancellation);
  if (!isGraceful) return destroy();
  if (!failure || !driver.destroy) return failure;
  const forced = await destroy();
  failure.message += `; ${forced?.message ?? 'it was destroyed by force'}`;
  return failure;
}
