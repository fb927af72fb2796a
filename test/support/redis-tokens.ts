import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { RedisCredentialsProvider } from '../../src/redis/index.js';
import type { RedisServer } from './redis-server.js';

/** The user as which the test itself logs in. */
export const ADMIN = { name: 'admin', password: 'admin-secret' };
/** Sends a command to a server as that user. */
export type Ask = (command: string, ...args: string[]) => Promise<unknown>;

/** The token of the user "app", which is the only one that clients can log in with; `default` is off. */
export class Tokens {
  /** Every token that has been given out, the newest last. */
  readonly issued: string[] = [];
  /** How often the provider has been asked. */
  asked = 0;

  /** @param life milliseconds that an expiring token lives */
  constructor(
    readonly servers: readonly Ask[],
    readonly life = 600,
  ) {}

  /** Makes a new token. Earlier tokens stay valid, unless `only` is given. */
  async issue({ only = false } = {}): Promise<string> {
    const token = `token-${this.issued.length}-${Math.random().toString(36).slice(2)}`;
    this.issued.push(token);
    const rules = ['on', ...(only ? ['resetpass'] : []), `>${token}`, '~*', '&*', '+@all'];
    await Promise.all(this.servers.map((ask) => ask('ACL', 'SETUSER', 'app', ...rules)));
    return token;
  }

  /** Returns the newest token. */
  readonly current: RedisCredentialsProvider = async () => {
    this.asked += 1;
    return { username: 'app', password: this.issued.at(-1) as string };
  };

  /**
   * Returns a new token each time, which expires soon. It is revoked only seven tokens later, because a cluster has several
   * connections.
   */
  readonly expiring: RedisCredentialsProvider = async () => {
    this.asked += 1;
    const revoked = this.issued.at(-8);
    const password = await this.issue();
    if (revoked) await Promise.all(this.servers.map((ask) => ask('ACL', 'SETUSER', 'app', `<${revoked}`)));
    return { username: 'app', password, expiresAt: new Date(Date.now() + this.life) };
  };

  /** Ends every connection of the user. */
  async killAll(): Promise<void> {
    await Promise.all(this.servers.map((ask) => ask('CLIENT', 'KILL', 'USER', 'app')));
  }
}

/** Turns the user `default` off on a running server, and returns a function that can still send it commands. */
export async function turnDefaultOff(server: RedisServer): Promise<Ask> {
  await server.command('ACL', 'SETUSER', ADMIN.name, 'on', `>${ADMIN.password}`, '~*', '&*', '+@all');
  await server.command('CONFIG', 'SET', 'masteruser', ADMIN.name);
  await server.command('CONFIG', 'SET', 'masterauth', ADMIN.password);
  await server.command('ACL', 'SETUSER', 'default', 'off');
  const admin = new Redis({ port: server.port, username: ADMIN.name, password: ADMIN.password });
  admin.on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return (command, ...args) => admin.call(command, ...args);
}

/** How often AUTH has been sent to a server. */
export async function loginsOf(ask: Ask): Promise<number> {
  return Number(/cmdstat_auth:calls=(\d+)/.exec(String(await ask('INFO', 'commandstats')))?.[1] ?? 0);
}
