import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { loadPackage } from '../definition/load-package.js';
import { RequestsInFlight } from './requests-in-flight.js';

/** Milliseconds. Whoever asks has a deadline of its own; this one ends the request, so that none pile up. */
const CHECK_TIMEOUT = 5_000;

/**
 * One round trip that costs no capacity: `ListTables` with a limit of one.
 *
 * A policy may well allow reading one table and not listing them. An answer of "access denied" comes after the endpoint
 * was reached and the signature accepted, so it counts as healthy; wrong or expired credentials do not.
 */
export async function checkReachable(client: Pick<DynamoDBClient, 'send' | 'middlewareStack'>): Promise<void> {
  const { ListTablesCommand } = await loadPackage(
    '@aws-sdk/client-dynamodb',
    'The health check',
    () => import('@aws-sdk/client-dynamodb'),
  );
  try {
    await RequestsInFlight.of(client).probe(CHECK_TIMEOUT, (abortSignal) =>
      client.send(new ListTablesCommand({ Limit: 1 }), { abortSignal }),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AccessDeniedException') throw error;
  }
}
