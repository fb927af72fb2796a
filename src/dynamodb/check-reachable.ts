import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { hasAnswered } from '../aws/has-answered.js';
import { loadPackage } from '../definition/load-package.js';

/**
 * One round trip that costs no capacity: `ListTables` with a limit of one.
 *
 * A policy may well allow reading one table and not listing them, and `ListTables` is throttled on its own. An answer that
 * refuses it comes after the endpoint was reached and the signature accepted, so it counts as healthy; wrong or expired
 * credentials do not.
 */
export async function checkReachable(client: Pick<DynamoDBClient, 'send'>, abortSignal: AbortSignal): Promise<void> {
  const { ListTablesCommand } = await loadPackage(
    '@aws-sdk/client-dynamodb',
    'The health check',
    () => import('@aws-sdk/client-dynamodb'),
  );
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }), { abortSignal });
  } catch (error) {
    if (!hasAnswered(error)) throw error;
  }
}
