import { within } from './deadline.js';
import type { CloseFailure, Closing, Holder } from './holding.js';
import type { SharedClient } from './shared-client.js';

/** A client, and who is to let go of it. */
export interface Hold {
  readonly client: SharedClient;
  readonly holder: Holder;
  /** Whether the client ends when the time is up, even if somebody else holds it still. */
  readonly mustEnd: boolean;
}

/**
 * Lets go of every client at the same time. Those that nobody else holds close at once; the others when their last holder
 * lets go, for which this waits if they must end. Never rejects.
 *
 * @returns what did not close gracefully, by hold
 */
export async function releaseAll<H extends Hold>(
  holds: readonly H[],
  closing: Closing,
): Promise<Map<H, readonly CloseFailure[]>> {
  const outcomes = new Map<H, readonly CloseFailure[]>();
  const collect = async (hold: H, closed: Promise<readonly CloseFailure[]>): Promise<void> => {
    const before = outcomes.get(hold) ?? [];
    const failures = await closed;
    if (failures.length > 0) outcomes.set(hold, [...before, ...failures]);
  };
  await Promise.all(holds.map((hold) => collect(hold, hold.client.release(hold.holder, closing))));
  const left = holds.filter(({ client, mustEnd }) => mustEnd && !client.isEnding);
  if (left.length === 0) return outcomes;
  await within<void>({ timeout: closing.remaining(), late: () => {} }, async () => {
    await Promise.all(left.map(({ client }) => client.whenEnded()));
  });
  await Promise.all(left.map((hold) => collect(hold, hold.client.end(closing))));
  return outcomes;
}
